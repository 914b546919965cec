using System.Net;
using System.Text;

namespace Danm.Netlink;

/// <summary>A unicast route (RTM_NEWROUTE), as after <c>ip route</c>. One with several next hops is read without any of them.</summary>
/// <param name="Destination">Where to; its host bits must be zero. <c>0.0.0.0/0</c> and <c>::/0</c> are the default routes.</param>
public sealed record Route(CidrAddress Destination)
{
    /// <summary>The main table, used when no rule says otherwise.</summary>
    public const uint MainTable = 254;

    /// <summary>The next hop; null: the destination is on the link.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The outgoing interface; 0 lets the kernel find it by the gateway.</summary>
    public int LinkIndex { get; init; }

    /// <summary>The routing table.</summary>
    public uint Table { get; init; } = MainTable;

    /// <summary>Whether the gateway counts as reachable on the link although no address of it says so.</summary>
    public bool OnLink { get; init; }

    /// <summary>The scope; null, on adding: link without a gateway, else universe, as <c>ip</c> does for IPv4.</summary>
    public RouteScope? Scope { get; init; }

    /// <summary>Who made it.</summary>
    public RouteProtocol Protocol { get; init; } = RouteProtocol.Boot;

    /// <summary>The source address of packets of our own that take it.</summary>
    public IPAddress? PreferredSource { get; init; }

    /// <summary>The metric, less is better; null: the kernel's default (IPv4 0, IPv6 1024).</summary>
    public uint? Metric { get; init; }

    /// <summary>The route as <c>ip route</c> spells it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Destination.PrefixLength == 0 && !Destination.IsIPv6 ? "default" : Destination.ToString());
        if (Gateway is not null)
            text.Append(" via ").Append(Gateway);
        if (LinkIndex != 0)
            text.Append(" dev ").Append(LinkIndex);
        if (Table != MainTable)
            text.Append(" table ").Append(Table);
        if (PreferredSource is not null)
            text.Append(" src ").Append(PreferredSource);
        if (Metric is not null)
            text.Append(" metric ").Append(Metric);
        return OnLink ? text.Append(" onlink").ToString() : text.ToString();
    }

    internal const byte UnicastType = 1;
    internal const uint OnLinkFlag = 4;
    private const uint ClonedFlag = 0x200;

    internal static bool TryParse(in NetlinkMessage message, out Route route)
    {
        route = null!;
        if (message.Type != Rtm.NewRoute)
            return false;
        var attributes = message.Split<RtMsg>(out var header);
        // An address of another family (an MPLS label has 4 bytes, too) is not ours to read.
        if (header.Family is not (Native.AF_INET or Native.AF_INET6) || header.Type != UnicastType || (header.Flags & ClonedFlag) != 0)
            return false;
        IPAddress? destination = null, gateway = null, source = null;
        var link = 0;
        uint table = header.Table;
        uint? metric = null;
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case Rta.Destination:
                    destination = attributes.Address;
                    break;
                case Rta.Gateway:
                    gateway = attributes.Address;
                    break;
                case Rta.OutgoingLink:
                    link = attributes.Int32;
                    break;
                case Rta.Table:
                    table = attributes.UInt32;
                    break;
                case Rta.Priority:
                    metric = attributes.UInt32;
                    break;
                case Rta.PreferredSource:
                    source = attributes.Address;
                    break;
            }
        }

        if (!WireAddress.TryCombine(header.Family, destination, header.DestinationLength, out var cidr))
            return false;
        route = new Route(cidr)
        {
            Gateway = gateway,
            LinkIndex = link,
            Table = table,
            OnLink = (header.Flags & OnLinkFlag) != 0,
            Scope = (RouteScope)header.Scope,
            Protocol = (RouteProtocol)header.Protocol,
            PreferredSource = source,
            Metric = metric,
        };
        return true;
    }
}

/// <summary>How far a destination is (rtnetlink(7)).</summary>
public enum RouteScope : byte
{
    /// <summary>Anywhere.</summary>
    Universe = 0,

    /// <summary>In the site.</summary>
    Site = 200,

    /// <summary>On the link.</summary>
    Link = 253,

    /// <summary>On this host.</summary>
    Host = 254,

    /// <summary>Nowhere.</summary>
    Nowhere = 255,
}

/// <summary>Who made a route (rtnetlink(7)); other numbers are routing daemons.</summary>
public enum RouteProtocol : byte
{
    /// <summary>Unknown.</summary>
    Unspecified = 0,

    /// <summary>An ICMP redirect.</summary>
    Redirect = 1,

    /// <summary>The kernel itself.</summary>
    Kernel = 2,

    /// <summary>Set-up at boot; what <c>ip route add</c> and CNI plugins use.</summary>
    Boot = 3,

    /// <summary>The administrator.</summary>
    Static = 4,

    /// <summary>A router advertisement.</summary>
    RouterAdvertisement = 9,
}
