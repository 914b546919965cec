using System.Net;
using System.Net.Sockets;
using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Netwatcher;

/// <summary>Keeps the VxLANs of this node sending what they know no receiver of to the other nodes one by one.</summary>
internal sealed class UnicastFlooding(TunnelEndpoints endpoints)
{
    /// <summary>This node's tunnel end points as last seen, by device.</summary>
    public IReadOnlyDictionary<string, IPAddress> Own { get; private set; } = new Dictionary<string, IPAddress>();

    /// <summary>What there is to do; a VxLAN that is still to be made has its turn when it is there.</summary>
    public IReadOnlyList<HeadEndReplication> Plan(IEnumerable<WantedLink> wishes)
    {
        // In this order: Nodes that come while the host is looked at wake us again.
        var isComplete = endpoints.IsComplete;
        var remotes = endpoints.Read();
        using var socket = RouteSocket.Open();
        var links = socket.DumpLinks().ToDictionary(l => l.Name);
        var own = new Dictionary<string, IPAddress>();
        var vxlans = new Dictionary<string, (Link Link, IReadOnlySet<IPAddress> Remotes)>();
        foreach (var parent in wishes.Select(w => w.Parent).Where(p => p.Encapsulation == Encapsulation.Vxlan))
        {
            if (!links.TryGetValue(parent.Name, out var link) || !LinkPlan.IsOurs(link)
                || !links.TryGetValue(parent.HostDevice, out var device) || !HostLink.Fits(link, parent, device)
                || ((LinkKind.Vxlan)link.Kind!).Local is not { } local)
            {
                continue;
            }

            own[parent.HostDevice] = local;
            vxlans[parent.Name] = (link, OfFamily(remotes, parent.HostDevice, local.AddressFamily));
        }

        Own = own;
        if (vxlans.Count == 0)
            return [];
        var forwarding = socket.DumpForwarding().ToLookup(f => f.LinkIndex);
        return [.. vxlans.Values.Select(v => HeadEndReplication.Plan(v.Link, v.Remotes, forwarding[v.Link.Index], isComplete)).OfType<HeadEndReplication>()];
    }

    /// <summary>Does one of them.</summary>
    /// <exception cref="NetlinkException">The kernel refused some of it.</exception>
    public static void Apply(HeadEndReplication change)
    {
        using var socket = RouteSocket.Open();
        change.Apply(socket);
    }

    private static HashSet<IPAddress> OfFamily(IReadOnlyDictionary<string, HashSet<IPAddress>> remotes, string device, AddressFamily family) =>
        [.. remotes.GetValueOrDefault(device, []).Where(a => a.AddressFamily == family)];
}
