using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Doctor.Node;

/// <summary>
/// Whether the kernel can make the interfaces that networks need. It is asked itself, in a namespace that ends with the question: no list of
/// modules says as much, and a module that is on the disk is loaded by that, as by the first Pod.
/// </summary>
internal sealed class KernelCheck(NodeView node) : ICheck
{
    private static readonly (LinkKind Kind, string Option)[] Kinds =
    [
        (new LinkKind.Ipvlan(), "CONFIG_IPVLAN"),
        (new LinkKind.Macvlan(), "CONFIG_MACVLAN"),
        (new LinkKind.Vlan(2), "CONFIG_VLAN_8021Q"),
        (new LinkKind.Vxlan(2), "CONFIG_VXLAN"),
    ];

    /// <inheritdoc/>
    public string Id => "node-kernel";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var missing = Missing();
        var needs = missing.Count == 0 ? [] : await NeedsAsync().ConfigureAwait(false);
        foreach (var (kind, option) in missing)
        {
            var module = kind == "vlan" ? "8021q" : kind;
            var advice = $"modprobe {module}, and have it loaded at boot (/etc/modules-load.d); if there is none, install the kernel's extra modules, or a kernel with {option}";
            yield return needs is null ? Finding.Warning($"the kernel cannot make {kind} interfaces; which the networks need could not be seen", advice)
                : needs.GetValueOrDefault(kind) is { } network ? Finding.Failed($"the kernel cannot make {kind} interfaces, which {network} needs: its Pods do not start on this node", advice)
                : Finding.Info($"the kernel cannot make {kind} interfaces; no network needs them", advice);
        }

        string[] able = [.. Kinds.Select(k => k.Kind.Name).Where(k => missing.All(m => m.Kind != k))];
        if (able.Length > 0)
            yield return Finding.Ok($"the kernel makes {string.Join(", ", able)} interfaces");
    }

    private static List<(string Kind, string Option)> Missing()
    {
        try
        {
            using var place = NetworkNamespace.Make();
            using var visit = place.Visit(VisitSockets.Route);
            return [.. Kinds.Where(k => !CanMake(visit.Route, k.Kind)).Select(k => (k.Kind.Name, k.Option))];
        }
        catch (NetlinkException e) when (e.Errno == Errno.EPERM)
        {
            throw new CheckSkippedException("only root may ask the kernel", "run it as root");
        }
    }

    // Without the interface that it would stand on, the kind's own code refuses it; only where there is no such code is it not supported.
    private static bool CanMake(RouteSocket socket, LinkKind kind)
    {
        try
        {
            socket.AddLink(new LinkSpec($"danm-{kind.Name}", kind));
            return true;
        }
        catch (NetlinkException e)
        {
            return e.Errno != Errno.EOPNOTSUPP;
        }
    }

    private async Task<Dictionary<string, string>?> NeedsAsync()
    {
        var needs = new Dictionary<string, string>();
        try
        {
            foreach (var network in (await node.Cluster.NetworksAsync().ConfigureAwait(false)).Items)
            {
                foreach (var kind in KindsOf(network))
                    needs.TryAdd(kind, network.Ref.ToString());
            }
        }
        catch (Exception e) when (e is CheckSkippedException or Kube.ApiException)
        {
            return null;
        }

        return needs;
    }

    private static IEnumerable<string> KindsOf(Network network)
    {
        if (NetworkTypes.Of(network.Spec.NetworkType) is NetworkTypes.Ipvlan or NetworkTypes.Macvlan)
            yield return NetworkTypes.Of(network.Spec.NetworkType);
        if (string.IsNullOrEmpty(network.Spec.Options.HostDevice))
            yield break;
        if (network.Spec.Options.Vxlan is > 0)
            yield return "vxlan";
        else if (network.Spec.Options.Vlan is > 0)
            yield return "vlan";
    }
}
