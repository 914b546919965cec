using System.Net;
using Danm.HostLinks;
using Danm.Netlink;

namespace Danm.Netwatcher;

/// <summary>Keeps the VxLANs of this node sending what they know no receiver of to the other nodes one by one.</summary>
internal sealed class UnicastFlooding(TunnelEndpoints endpoints)
{
    /// <summary>This node's tunnel end points as last seen, by device.</summary>
    public IReadOnlyDictionary<string, IPAddress> Own { get; private set; } = new Dictionary<string, IPAddress>();

    /// <summary>What there is to do, for every VxLAN of ours that is there, whether a network still wants it or only a Pod.</summary>
    public IReadOnlyList<HeadEndReplication> Plan()
    {
        // In this order: Nodes that come while the host is looked at wake us again.
        var isComplete = endpoints.IsComplete;
        var remotes = endpoints.Read();
        using var socket = RouteSocket.Open();
        var links = socket.DumpLinks();
        var names = links.ToDictionary(l => l.Index, l => l.Name);
        var own = new SortedDictionary<string, IPAddress>(StringComparer.Ordinal);
        var vxlans = new List<(Link Link, HashSet<IPAddress> Remotes)>();
        foreach (var link in links.Where(LinkPlan.IsOurs))
        {
            if (link.Kind is not LinkKind.Vxlan { Local: { } local, UnderlayIndex: { } index } || !names.TryGetValue(index, out var device))
                continue;
            own.TryAdd(device, local);
            // A Node that this machine had under another name says this address too.
            vxlans.Add((link, [.. remotes.GetValueOrDefault(device, []).Where(a => a.AddressFamily == local.AddressFamily && !a.Equals(local))]));
        }

        Own = own;
        if (vxlans.Count == 0)
            return [];
        var forwarding = socket.DumpForwarding().ToLookup(f => f.LinkIndex);
        return [.. vxlans.Select(v => HeadEndReplication.Plan(v.Link, v.Remotes, forwarding[v.Link.Index], isComplete)).OfType<HeadEndReplication>()];
    }

    /// <summary>Does one of them.</summary>
    /// <exception cref="NetlinkException">The kernel refused some of it.</exception>
    public static void Apply(HeadEndReplication change)
    {
        using var socket = RouteSocket.Open();
        change.Apply(socket);
    }
}
