namespace Danm.Netlink;

public sealed partial class RouteBatch
{
    /// <summary>Adds a route; one that is there already is an error (EEXIST).</summary>
    public void AddRoute(Route route)
    {
        ArgumentNullException.ThrowIfNull(route);
        // The kernel refuses an IPv4 gateway with link scope, and without a gateway universe scope is a lie.
        var scope = route.Gateway is null && !route.Destination.IsIPv6 ? RouteScope.Link : RouteScope.Universe;
        PutRoute(Rtm.NewRoute, NlmF.Create | NlmF.Exclusive, route, scope, "add route");
    }

    /// <summary>Deletes a route that has all that is said of it; one that is not there counts as deleted.</summary>
    public void DeleteRoute(Route route)
    {
        ArgumentNullException.ThrowIfNull(route);
        // Nowhere stands for any scope (fib_table_delete).
        PutRoute(Rtm.DeleteRoute, 0, route, RouteScope.Nowhere, "delete route", Errno.ESRCH);
    }

    /// <summary>Adds a rule; an identical one is an error (EEXIST).</summary>
    public void AddRule(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        PutRule(Rtm.NewRule, NlmF.Create | NlmF.Exclusive, rule, "add rule");
    }

    /// <summary>Deletes the first rule that has all that is said of it; none counts as deleted.</summary>
    public void DeleteRule(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        PutRule(Rtm.DeleteRule, 0, rule, "delete rule", Errno.ENOENT);
    }

    private void PutRoute(ushort type, int flags, Route route, RouteScope defaultScope, string verb, int toleratedErrno = 0)
    {
        var writer = Begin(type, (ushort)flags, new RtMsg
        {
            Family = WireAddress.Family(route.Destination.Address),
            DestinationLength = (byte)route.Destination.PrefixLength,
            Table = ShortTable(route.Table),
            Protocol = (byte)route.Protocol,
            Scope = (byte)(route.Scope ?? defaultScope),
            Type = Route.UnicastType,
            Flags = route.OnLink ? Route.OnLinkFlag : 0,
        });
        writer.Put(Rta.Table, route.Table);
        if (route.Destination.PrefixLength > 0)
            writer.Put(Rta.Destination, route.Destination.Address);
        if (route.Gateway is { } gateway)
            writer.Put(Rta.Gateway, gateway);
        if (route.LinkIndex != 0)
            writer.Put(Rta.OutgoingLink, route.LinkIndex);
        if (route.PreferredSource is { } source)
            writer.Put(Rta.PreferredSource, source);
        if (route.Metric is { } metric)
            writer.Put(Rta.Priority, metric);
        End(writer, verb, route, toleratedErrno);
    }

    private void PutRule(ushort type, int flags, Rule rule, string verb, int toleratedErrno = 0)
    {
        var writer = Begin(type, (ushort)flags, new FibRuleHdr
        {
            Family = rule.Source is { } from ? WireAddress.Family(from.Address) : WireAddress.Family(rule.Family),
            SourceLength = (byte)(rule.Source?.PrefixLength ?? 0),
            Table = ShortTable(rule.Table),
            Action = Fra.ToTable,
        });
        writer.Put(Fra.Table, rule.Table);
        if (rule.Source is { PrefixLength: > 0 } source)
            writer.Put(Fra.Source, source.Address);
        if (rule.Priority is { } priority)
            writer.Put(Fra.Priority, priority);
        End(writer, verb, rule, toleratedErrno);
    }

    /// <summary>The header has one byte for the table; a larger number stands in the attribute alone.</summary>
    private static byte ShortTable(uint table) => table <= byte.MaxValue ? (byte)table : (byte)0;
}
