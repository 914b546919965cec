using System.CommandLine;
using Danm.Api;
using Danm.Kube;

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
            if (result.GetValueOrDefault<string?>() is { } text && !TryParse(text, "x", out _))
                result.AddError($"'{text}' is no network: write KIND/NAME, with a kind of {string.Join(", ", NetworkKind.DanmNet.ToName(), NetworkKind.TenantNetwork.ToName(), NetworkKind.ClusterNetwork.ToName())}");
        });
        return argument;
    }

    public static bool TryParse(string text, string ns, out NetworkRef network)
    {
        network = null!;
        if (text.Split('/') is not [var kindText, { Length: > 0 } name] || !Kinds.TryGetValue(kindText.Split('.')[0], out var kind))
            return false;
        network = new NetworkRef(kind, kind.IsNamespaced() ? ns : null, name);
        return true;
    }

    /// <summary>All networks of the cluster; kinds that it does not have are none.</summary>
    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    public static async Task<List<Network>> ListAllAsync(ApiClient api, CancellationToken cancellation)
    {
        var networks = new List<Network>();
        foreach (var kind in Enum.GetValues<NetworkKind>())
        {
            try
            {
                string? next = null;
                do
                {
                    var page = await api.ListAsync(
                        ResourcePath.Danm(kind.ToPlural(), null),
                        $"limit=500{(string.IsNullOrEmpty(next) ? "" : $"&continue={Uri.EscapeDataString(next)}")}",
                        ApiJson.Default.ObjectListNetwork,
                        cancellation).ConfigureAwait(false);
                    foreach (var network in page.Items)
                    {
                        network.Kind = kind;
                        networks.Add(network);
                    }

                    next = page.Metadata.Continue;
                }
                while (!string.IsNullOrEmpty(next));
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // A mode without this kind.
            }
        }

        return networks;
    }
}
