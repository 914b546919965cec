using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Danm.Netlink;

/// <summary>A rule that chooses a routing table (RTM_NEWRULE), as after <c>ip rule</c>.</summary>
/// <param name="Source">Packets from where it takes; null: from anywhere.</param>
/// <param name="Table">The table it leads to.</param>
public sealed record Rule(CidrAddress? Source, uint Table)
{
    /// <summary>IPv4 or IPv6; on adding, the source's family wins.</summary>
    public AddressFamily Family { get; init; } =
        Source is { IsIPv6: true } ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    /// <summary>Its place, less is earlier; null, on adding: before all rules but the local table's (32765, 32764, …).</summary>
    public uint? Priority { get; init; }

    /// <summary>Whether a rule that was read has nothing but what is said here: no other selector, no other action.</summary>
    public bool IsPlain { get; init; } = true;

    /// <summary>The rule as <c>ip rule</c> spells it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("from ").Append(Source is { } source ? source.ToString() : "all").Append(" lookup ").Append(Table);
        return Priority is { } priority ? text.Append(" priority ").Append(priority).ToString() : text.ToString();
    }

    internal static bool TryParse(in NetlinkMessage message, out Rule rule)
    {
        rule = null!;
        if (message.Type != Rtm.NewRule)
            return false;
        var attributes = message.Split<FibRuleHdr>(out var header);
        if (header.Family is not (Native.AF_INET or Native.AF_INET6))
            return false;
        IPAddress? from = null;
        uint table = header.Table, priority = 0;
        var plain = header.Action == Fra.ToTable && header.Tos == 0;
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case Fra.Source:
                    from = attributes.Address;
                    break;
                case Fra.Table:
                    table = attributes.UInt32;
                    break;
                case Fra.Priority:
                    priority = attributes.UInt32;
                    break;
                case Fra.Destination or Fra.IncomingName or Fra.OutgoingName or Fra.Goto or Fra.Mark or Fra.Flow or Fra.L3Master
                    or Fra.UidRange or Fra.IpProtocol or Fra.SourcePort or Fra.DestinationPort:
                    plain = false;
                    break;
            }
        }

        CidrAddress? source = null;
        if (from is not null && WireAddress.TryCombine(header.Family, from, header.SourceLength, out var cidr))
            source = cidr;
        rule = new Rule(source, table)
        {
            Family = header.Family == Native.AF_INET6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork,
            Priority = priority,
            IsPlain = plain,
        };
        return true;
    }
}
