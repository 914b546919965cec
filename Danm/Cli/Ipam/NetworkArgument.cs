using System.CommandLine;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Cli.Ipam;

/// <summary>A network as an operator names it: <c>clusternetwork/x</c>, <c>dnet/x</c>, with kubectl's kinds, plurals and short names.</summary>
internal static class NetworkArgument
{
    private static readonly Dictionary<string, NetworkKind> Kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["danmnet"] = NetworkKind.DanmNet, ["danmnets"] = NetworkKind.DanmNet, ["dn"] = NetworkKind.DanmNet, ["dnet"] = NetworkKind.DanmNet,
        ["tenantnetwork"] = NetworkKind.TenantNetwork, ["tenantnetworks"] = NetworkKind.TenantNetwork, ["tn"] = NetworkKind.TenantNetwork, ["tnet"] = NetworkKind.TenantNetwork,
        ["clusternetwork"] = NetworkKind.ClusterNetwork, ["clusternetworks"] = NetworkKind.ClusterNetwork, ["cn"] = NetworkKind.ClusterNetwork, ["cnet"] = NetworkKind.ClusterNetwork,
    };

    public static Argument<string?> Create()
    {
        var argument = new Argument<string?>("network") { Description = "KIND/NAME, such as clusternetwork/external.", Arity = ArgumentArity.ZeroOrOne, HelpName = "KIND/NAME" };
        argument.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && TryParse(text, "x") is null)
                result.AddError($"'{text}' is no network: write KIND/NAME, with a kind of {string.Join(", ", NetworkKind.DanmNet.ToName(), NetworkKind.TenantNetwork.ToName(), NetworkKind.ClusterNetwork.ToName())}");
        });
        return argument;
    }

    /// <summary>Null if it is none.</summary>
    public static NetworkRef? TryParse(string text, string ns) =>
        text.Split('/') is [var kindText, var name] && Names.IsSubdomain(name) && Kinds.TryGetValue(kindText.Split('.')[0], out var kind)
            ? new NetworkRef(kind, kind.IsNamespaced() ? ns : null, name)
            : null;

    /// <summary>All networks of the cluster; kinds that it does not have are none.</summary>
    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    public static async Task<List<Network>> ListAllAsync(ApiClient api, CancellationToken cancellation)
    {
        var networks = new List<Network>();
        foreach (var kind in Enum.GetValues<NetworkKind>())
        {
            try
            {
                foreach (var network in await ObjectPages.ReadAllAsync(api, ResourcePath.Danm(kind.ToPlural(), null), null, ApiJson.Default.ObjectListNetwork, cancellation).ConfigureAwait(false))
                {
                    network.Kind = kind;
                    networks.Add(network);
                }
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // A mode without this kind.
            }
        }

        return networks;
    }
}
