namespace Danm.Netlink;

public sealed partial class RouteSocket
{
    /// <summary>Lists the addresses of one interface, or of all.</summary>
    public List<InterfaceAddress> DumpAddresses(int? index = null)
    {
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetAddress, NlmF.Dump, new IfAddrMsg { Index = index ?? 0 });
        writer.EndMessage();
        return _conversation.Dump(
            writer.Written,
            new Operation("dump addresses"),
            (in NetlinkMessage message, out InterfaceAddress address) =>
                InterfaceAddress.TryParse(message, out address) && (index is null || address.LinkIndex == index),
            Errno.ENODEV);
    }

    /// <summary>Lists the unicast routes of both families, of one table or of all, of one outgoing interface or of all.</summary>
    public List<Route> DumpRoutes(uint? table = null, int? link = null)
    {
        // Asked for both families at once, the kernel asks others too (MPLS), which know no filter and refuse.
        var routes = DumpRoutes(Native.AF_INET, table, link);
        routes.AddRange(DumpRoutes(Native.AF_INET6, table, link));
        return routes;
    }

    /// <summary>Lists the rules of both families.</summary>
    public List<Rule> DumpRules()
    {
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetRule, NlmF.Dump, default(FibRuleHdr));
        writer.EndMessage();
        return _conversation.Dump<Rule>(writer.Written, new Operation("dump rules"), Rule.TryParse);
    }

    /// <summary>Lists the neighbours of one interface, or of all.</summary>
    public List<Neighbour> DumpNeighbours(int? index = null)
    {
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetNeighbour, NlmF.Dump, default(NdMsg));
        if (index is { } one)
            writer.Put(Nda.Ifindex, one);
        writer.EndMessage();
        return DumpNeighbours(writer.Written, "dump neighbours", index, forwarding: false);
    }

    /// <summary>Lists the forwarding database of one VxLAN, bridge or bridge port, or of all.</summary>
    public List<Neighbour> DumpForwarding(int? index = null)
    {
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetNeighbour, NlmF.Dump, new NdMsg { Family = Native.AF_BRIDGE, Index = index ?? 0 });
        writer.EndMessage();
        return DumpNeighbours(writer.Written, "dump forwarding entries", index, forwarding: true);
    }

    private List<Neighbour> DumpNeighbours(Span<byte> request, string verb, int? index, bool forwarding) => _conversation.Dump(
        request,
        new Operation(verb),
        (in NetlinkMessage message, out Neighbour neighbour) =>
            Neighbour.TryParse(message, forwarding, out neighbour) && (index is null || neighbour.LinkIndex == index));

    private List<Route> DumpRoutes(byte family, uint? table, int? link)
    {
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetRoute, NlmF.Dump, new RtMsg { Family = family });
        if (table is { } number)
            writer.Put(Rta.Table, number);
        if (link is { } index)
            writer.Put(Rta.OutgoingLink, index);
        writer.EndMessage();
        // Old kernels do not filter; a table that nobody ever used is ENOENT.
        return _conversation.Dump(
            writer.Written,
            new Operation("dump routes"),
            (in NetlinkMessage message, out Route route) => Route.TryParse(message, out route)
                && WireAddress.Family(route.Destination.Address) == family
                && (table is null || route.Table == table)
                && (link is null || route.LinkIndex == link),
            Errno.ENOENT);
    }
}
