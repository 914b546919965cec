using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>
/// The ClusterNetwork <c>default</c>, by which Pods that ask for nothing get what they had before Danm came. The first installer makes it of
/// the node's primary network; what is there already is left as it is.
/// </summary>
internal sealed class AdoptedDefault(ApiClient api, InstallOptions options, ILogger log, TimeProvider clock)
{
    // It hardly ever changes, and a thousand nodes ask.
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(5);

    private Network? known;
    private long askedAt;

    /// <summary>What the default network wants of the runtime, by its file as it is now.</summary>
    /// <exception cref="ApiException">The API server refused or did not answer, and never has.</exception>
    /// <exception cref="InstallException">There is none, or it must not or cannot be adopted.</exception>
    public async Task<IReadOnlyList<string>> EnsureAsync(CancellationToken cancellation)
    {
        if (known is null || clock.GetElapsedTime(askedAt) > Fresh)
        {
            known = await FindOrMakeAsync(cancellation).ConfigureAwait(false);
            askedAt = clock.GetTimestamp();
        }

        return CapabilitiesOf(known);
    }

    private async Task<Network> FindOrMakeAsync(CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.ClusterNetworks, null, DefaultNetwork.Name);
        while (true)
        {
            if (await api.TryGetAsync(path, ApiJson.Default.Network, cancellation).ConfigureAwait(false) is { } present)
                return present;
            var primary = Primary();
            var network = new DefaultNetworkManifest(new() { Name = DefaultNetwork.Name, Labels = new() { [ApiNames.ManagedByLabel] = ApiNames.ManagedBy } }, new(primary.NetworkId, primary.Type));
            var (_, exists) = await api.TryCreateAsync(ResourcePath.Danm(ApiNames.ClusterNetworks, null), network, InstallJson.Default.DefaultNetworkManifest, cancellation).ConfigureAwait(false);
            // Else another node's installer was faster.
            if (exists is null)
                log.Adopted(primary.NetworkId, primary.Type);
        }
    }

    private PrimaryNetwork Primary()
    {
        var primary = Found();
        if (NetworkTypes.IsDynamic(primary.Type))
            throw new InstallException($"{primary.NetworkId} in {options.ConfDir} is of type {primary.Type}, whose interfaces Danm makes by a network's own options: create ClusterNetwork/{DefaultNetwork.Name} with host_device and addresses by hand");
        return options.DefaultNetworkType is not { } type || type == primary.Type
            ? primary
            : throw new InstallException($"default_cni_type is {type}, but {primary.NetworkId} in {options.ConfDir} is of type {primary.Type}: make them agree");
    }

    private PrimaryNetwork Found() => options.DefaultNetworkId is { } id
        ? PrimaryNetwork.Read(options.ConfDir, id) ?? throw new InstallException($"waiting for the cluster's primary network: there is no {id}.conf, .conflist or .json in {options.ConfDir} yet")
        : PrimaryNetwork.Find(options.ConfDir) ?? throw new InstallException($"waiting for the cluster's primary network: there is no CNI configuration but Danm's in {options.ConfDir} yet");

    private IReadOnlyList<string> CapabilitiesOf(Network network)
    {
        if (NetworkTypes.IsDynamic(network.Spec.NetworkType))
            return [];
        var id = network.Spec.NetworkId ?? "";
        if (!Names.IsPlain(id, NetworkRules.MaxIdLength) || PrimaryNetwork.Read(options.ConfDir, id) is not { } primary)
            throw new InstallException($"waiting for {id}.conf, .conflist or .json in {options.ConfDir}: ClusterNetwork/{DefaultNetwork.Name}, which Pods get that ask for nothing, has this NetworkID");
        return primary.Type == network.Spec.NetworkType
            ? primary.Capabilities
            : throw new InstallException($"ClusterNetwork/{DefaultNetwork.Name} has NetworkType {network.Spec.NetworkType}, but {id} in {options.ConfDir} is of type {primary.Type}: make them agree, else no Pod of this node that asks for nothing starts");
    }
}
