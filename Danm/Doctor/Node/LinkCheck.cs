using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Doctor.Node;

/// <summary>Whether this node has the devices that networks name, and the VLAN and VxLAN interfaces on them: netwatcher's own plan, not carried out.</summary>
internal sealed class LinkCheck(NodeView node) : ICheck
{
    /// <inheritdoc/>
    public string Id => "node-links";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var wishes = (await node.Cluster.NetworksAsync().ConfigureAwait(false)).Items.Select(WishOf).OfType<WantedLink>().ToList();
        var (links, withAddresses) = new KernelLinks(RouteSocket.Open, multicast: true).Read();
        var findings = Compare(wishes, links, withAddresses).ToList();
        foreach (var finding in findings)
            yield return finding;
        if (findings.Count == 0)
            yield return Finding.Ok($"devices and interfaces of {wishes.Count} networks are here");
    }

    /// <summary>What is missing or wrong.</summary>
    internal static IEnumerable<Finding> Compare(List<WantedLink> wishes, IReadOnlyList<Link> links, IReadOnlySet<int> withAddresses)
    {
        var names = links.Select(l => l.Name).ToHashSet();
        foreach (var device in wishes.Where(w => !names.Contains(w.Parent.HostDevice)).GroupBy(w => w.Parent.HostDevice))
        {
            yield return Finding.Warning(
                $"this node has no interface {device.Key}, which {device.First().Network}{(device.Count() > 1 ? $" and {device.Count() - 1} more" : "")} names as host_device",
                "create it, or correct the network; if Pods of that network are never on this node, leave it");
        }

        var present = wishes.Where(w => names.Contains(w.Parent.HostDevice)).ToList();
        var plan = LinkPlan.Of(present, new HostState(links, new HashSet<string>(), withAddresses), isComplete: false);
        foreach (var problem in plan.Problems)
            yield return Finding.Failed($"{problem.Network}: {problem.Message}", "Pods of this network do not start on this node until that is mended");
        foreach (var make in plan.Steps.OfType<LinkStep.Make>())
            yield return Finding.Warning($"the interface {make.Wanted.Parent.Name} is missing, which {make.Wanted.Network} wants", "netwatcher makes it within seconds: does it run on this node, and what does it log?");
    }

    private static WantedLink? WishOf(Network network)
    {
        if (NetworkRules.Check(network).Count > 0 || ParentLink.TryOf(network) is not { } parent)
            return null;
        return new WantedLink(network.Ref.ToString(), parent, network.Spec.Options.Mtu is > 0 and var mtu ? mtu : null, network.Metadata.CreationTimestamp ?? "");
    }
}
