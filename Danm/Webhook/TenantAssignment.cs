using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.Networks.Admission;
using Danm.Tenants;

namespace Danm.Webhook;

/// <summary>What a TenantNetwork gets of the TenantConfig.</summary>
/// <param name="Faults">Why it gets nothing.</param>
/// <param name="Warnings">What its author should know.</param>
/// <param name="Vnis">Where its VLAN or VxLAN id is to come from; null: it has none.</param>
internal sealed record TenantAssigned(IReadOnlyList<NetworkFault> Faults, IReadOnlyList<string> Warnings, TenantVnis? Vnis)
{
    public static readonly TenantAssigned Nothing = new([], [], null);
}

/// <summary>Gives TenantNetworks NetworkID, device and VLAN or VxLAN id by the TenantConfig that is first by name.</summary>
/// <param name="api">The API server.</param>
/// <param name="view">What is known of the cluster.</param>
/// <param name="reserver">Gives out the ids.</param>
internal sealed class TenantAssignment(ApiClient api, NetworkView view, VniReserver reserver)
{
    /// <summary>Sets NetworkID and device; nothing is reserved yet.</summary>
    /// <param name="network">The network, changed in place.</param>
    /// <param name="old">As it was; null when it is being created.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">The TenantConfigs cannot be read.</exception>
    public async Task<TenantAssigned> AssignAsync(Network network, Network? old, CancellationToken cancellation)
    {
        if (old is not null)
            return await RenameAsync(network, old, cancellation).ConfigureAwait(false);
        return Grant(network, await ConfigsAsync(cancellation).ConfigureAwait(false));
    }

    /// <summary>Reserves the id, and sets it.</summary>
    /// <exception cref="VniException">None can be had.</exception>
    /// <exception cref="ApiException">Refused, or no answer; 409 AlreadyExists if the network is there already.</exception>
    public async Task ReserveAsync(TenantVnis vnis, Network network, bool dryRun, CancellationToken cancellation)
    {
        // Which ids administrators' networks have is known a moment after the start.
        while (view.Unknown.Any())
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        var (ns, name) = (network.Metadata.Namespace ?? "", network.Metadata.Name);
        if (!string.IsNullOrEmpty(name) && await api.TryGetMetadataAsync(ResourcePath.Of(network.Ref), ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false) is not null)
            throw new TenantNetworkExistsException(network.Ref);
        var id = await reserver.ReserveAsync(new VniRequest(vnis, ns, string.IsNullOrEmpty(name) ? null : name), dryRun, cancellation).ConfigureAwait(false);
        Set(network, vnis.Encapsulation, id);
    }

    /// <summary>
    /// What a TenantNetwork was given stays its own where an update leaves it out, and where the TenantConfig names it: the manifest that it was
    /// created by says less, or something else, and is applied again as it is.
    /// </summary>
    /// <param name="network">What is sent, changed in place.</param>
    /// <param name="old">What is stored.</param>
    public void Keep(Network network, Network old)
    {
        var (options, before) = (network.Spec.Options, old.Spec.Options);
        if (string.IsNullOrEmpty(options.HostDevice) && string.IsNullOrEmpty(options.DevicePool))
            (options.HostDevice, options.DevicePool) = (before.HostDevice, before.DevicePool);
        if (options.Vlan is null or 0 && options.Vxlan is null or 0)
            (options.Vlan, options.Vxlan) = (before.Vlan, before.Vxlan);
        if (!string.IsNullOrEmpty(old.Spec.NetworkId) && (string.IsNullOrEmpty(network.Spec.NetworkId) || KnownIdOf(network) is not null))
            network.Spec.NetworkId = old.Spec.NetworkId;
    }

    // By the copy: whether what is stored stays is no grant.
    private string? KnownIdOf(Network network) =>
        view.Configs.MinBy(c => c.Metadata.Name, StringComparer.Ordinal) is { } config ? TenantProfiles.NetworkIdOf(config, network.Spec.NetworkType, []) : null;

    // One that had none may be given one. A tenant must not come to another file of the node by a second thought.
    private async Task<TenantAssigned> RenameAsync(Network network, Network old, CancellationToken cancellation)
    {
        if (!string.IsNullOrEmpty(old.Spec.NetworkId))
            return TenantAssigned.Nothing;
        var faults = new List<NetworkFault>();
        network.Spec.NetworkId = IdOf(await ConfigsAsync(cancellation).ConfigureAwait(false), network, faults) ?? network.Spec.NetworkId;
        return new(faults, [], null);
    }

    /// <summary>
    /// As the server has them now: a copy may be behind, and what an administrator has just taken away must not be given any more. Whoever
    /// makes a TenantConfig and a network at once must not be told of a copy, either.
    /// </summary>
    private Task<ReadableList<TenantConfig>> ConfigsAsync(CancellationToken cancellation) =>
        ReadableList<TenantConfig>.ReadAllAsync(api, ResourcePath.Danm(ApiNames.TenantConfigs, null), TenantJson.Default.TenantConfig, cancellation);

    private static string? IdOf(ReadableList<TenantConfig> configs, Network network, List<NetworkFault> faults) =>
        First(configs, faults) is { } config ? TenantProfiles.NetworkIdOf(config, network.Spec.NetworkType, faults) : null;

    private static TenantAssigned Grant(Network network, ReadableList<TenantConfig> configs)
    {
        var faults = new List<NetworkFault>();
        if (First(configs, faults) is not { } config)
        {
            if (faults.Count == 0)
                faults.Add(new("spec", null, "cannot be used yet: there is no TenantConfig that says what tenants may have; an administrator must create one"));
            return new(faults, [], null);
        }

        var grant = TenantProfiles.Choose(config, network, Random.Shared, faults);
        if (grant is null || faults.Count > 0)
            return new(faults, [], null);
        network.Spec.NetworkId = grant.NetworkId ?? network.Spec.NetworkId;
        network.Spec.Options.HostDevice = grant.HostDevice ?? network.Spec.Options.HostDevice;
        network.Spec.Options.DevicePool = grant.DevicePool ?? network.Spec.Options.DevicePool;
        // Rule 18 must know that there will be an id before there is one.
        if (grant.Vnis is { } vnis)
            Set(network, vnis.Encapsulation, vnis.Ranges.All.First());
        var count = configs.Items.Count + configs.Unreadable.Count;
        return new([], count == 1 ? [] : [$"there are {count} TenantConfigs, and only the first by name counts: {config.Metadata.Name}"], grant.Vnis);
    }

    private static void Set(Network network, Encapsulation encapsulation, int id)
    {
        if (encapsulation == Encapsulation.Vlan)
            network.Spec.Options.Vlan = id;
        else
            network.Spec.Options.Vxlan = id;
    }

    /// <summary>The one that counts; null if there is none, and if it cannot be read: the next one may give what that one does not.</summary>
    private static TenantConfig? First(ReadableList<TenantConfig> configs, List<NetworkFault> faults)
    {
        var first = configs.Items.MinBy(c => c.Metadata.Name, StringComparer.Ordinal);
        if (configs.Unreadable.MinBy(u => u.Metadata.Name, StringComparer.Ordinal) is not { } unreadable
            || (first is not null && string.CompareOrdinal(first.Metadata.Name, unreadable.Metadata.Name) < 0))
            return first;
        faults.Add(new("spec", null, $"cannot be used: TenantConfig/{unreadable.Metadata.Name}, which says what tenants may have, cannot be read: {unreadable.Fault}; an administrator must mend it"));
        return null;
    }
}

/// <summary>A TenantNetwork is being created that is there already. Nothing was reserved for it.</summary>
internal sealed class TenantNetworkExistsException(NetworkRef network) : Exception($"{ApiNames.TenantNetworks}.{ApiNames.Group} \"{network.Name}\" already exists");
