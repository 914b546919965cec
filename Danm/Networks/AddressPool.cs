using System.Net;
using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>A network's subnet of one family, and the part of it that dynamic addresses come from.</summary>
public sealed class AddressPool
{
    private readonly HashSet<IPAddress> _gateways = [];

    private AddressPool(CidrAddress subnet, IPAddress first, IPAddress last)
    {
        (Subnet, First, Last) = (subnet, first, last);
        // The whole of IPv6 has one address more than there are numbers.
        var further = CidrAddress.ToValue(last) - CidrAddress.ToValue(first);
        Size = further == UInt128.MaxValue ? further : further + 1;
    }

    /// <summary>The subnet, without host bits; its prefix length is the one that addresses get.</summary>
    public CidrAddress Subnet { get; }

    /// <summary>The first address of the pool.</summary>
    public IPAddress First { get; }

    /// <summary>The last address of the pool.</summary>
    public IPAddress Last { get; }

    /// <summary>How many addresses the pool spans, reserved ones included.</summary>
    public UInt128 Size { get; }

    /// <summary>The IPv4 pool; null if the network has no cidr.</summary>
    /// <exception cref="NetworkFaultException">The cidr or a member of the pool cannot be used.</exception>
    public static AddressPool? IPv4(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        return string.IsNullOrEmpty(options.Cidr)
            ? null
            : Create(ReadSubnet("spec.Options.cidr", options.Cidr, ipv6: false), null, options.AllocationPool,
                "spec.Options.allocation_pool", options.Routes);
    }

    /// <summary>The IPv6 pool; null if the network has no net6.</summary>
    /// <exception cref="NetworkFaultException">The net6 or a member of the pool cannot be used.</exception>
    public static AddressPool? IPv6(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        return string.IsNullOrEmpty(options.Net6)
            ? null
            : Create(ReadSubnet("spec.Options.net6", options.Net6, ipv6: true), options.AllocationPoolV6?.Cidr, options.AllocationPoolV6,
                "spec.Options.allocation_pool_v6", options.Routes6);
    }

    /// <summary>The address at a place in the pool.</summary>
    /// <param name="index">0 to <see cref="Size"/> - 1.</param>
    public IPAddress At(UInt128 index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Size);
        return CidrAddress.FromValue(CidrAddress.ToValue(First) + index, Subnet.IsIPv6);
    }

    /// <summary>The place of an address in the pool; null if it lies outside.</summary>
    public UInt128? IndexOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.AddressFamily != First.AddressFamily)
            return null;
        var value = CidrAddress.ToValue(address);
        return value < CidrAddress.ToValue(First) || value > CidrAddress.ToValue(Last) ? null : value - CidrAddress.ToValue(First);
    }

    /// <summary>
    /// Whether nobody can have the address: the network and broadcast addresses of IPv4 subnets up to /30 (RFC 3021 spares
    /// /31), the subnet-router anycast address of IPv6 subnets up to /126 (RFC 4291 section 2.6.1, RFC 6164 spares /127),
    /// and gateways of the network's own routes.
    /// </summary>
    public bool IsReserved(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (_gateways.Contains(address))
            return true;
        return Subnet.PrefixLength <= Subnet.Bits - 2
            && (address.Equals(Subnet.Address) || (!Subnet.IsIPv6 && address.Equals(Subnet.Last)));
    }

    /// <summary>How many addresses of the pool nobody can have.</summary>
    public int Reserved => _gateways.Append(Subnet.Address).Append(Subnet.Last).Distinct().Count(a => IsReserved(a) && IndexOf(a) is not null);

    /// <summary><c>10.0.0.1-10.0.0.254</c>, as errors show the pool.</summary>
    public override string ToString() => $"{First}-{Last}";

    private static AddressPool Create(
        CidrAddress subnet, string? poolCidr, AllocationPool? range, string field, Dictionary<string, string>? routes)
    {
        var within = string.IsNullOrEmpty(poolCidr) ? subnet : ReadSubnet($"{field}.cidr", poolCidr, subnet.IsIPv6);
        if (!subnet.Contains(within))
            throw new NetworkFaultException($"{field}.cidr", poolCidr, $"must lie inside {subnet}");

        // A network of one or two addresses has no ends to leave out.
        var margin = within.PrefixLength >= within.Bits - 1 ? (UInt128)0 : 1;
        var first = ReadMember($"{field}.start", range?.Start, within)
            ?? CidrAddress.FromValue(CidrAddress.ToValue(within.Address) + margin, within.IsIPv6);
        var last = ReadMember($"{field}.end", range?.End, within)
            ?? CidrAddress.FromValue(CidrAddress.ToValue(within.Last) - margin, within.IsIPv6);
        if (CidrAddress.ToValue(first) > CidrAddress.ToValue(last))
            throw new NetworkFaultException($"{field}.start", first.ToString(), $"must not come after the pool's end {last}");

        var pool = new AddressPool(subnet, first, last);
        if (routes is not null)
        {
            foreach (var gateway in routes.Values)
            {
                // One that cannot be read is NetworkRules' business.
                if (CidrAddress.TryParseAddress(gateway, out var address))
                    pool._gateways.Add(address);
            }
        }

        return pool;
    }

    private static CidrAddress ReadSubnet(string field, string text, bool ipv6) =>
        CidrAddress.TryParse(text, out var subnet) && subnet.IsIPv6 == ipv6
            ? subnet.Network
            : throw new NetworkFaultException(field, text, ipv6 ? NetworkRules.IPv6SubnetRule : NetworkRules.IPv4SubnetRule);

    private static IPAddress? ReadMember(string field, string? text, CidrAddress within)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        return CidrAddress.TryParseAddress(text, out var address) && within.Contains(address)
            ? address
            : throw new NetworkFaultException(field, text, $"must be an address inside {within}");
    }
}
