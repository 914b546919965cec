using System.Net;
using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>A network's subnet of one family, and the part of it that dynamic addresses come from.</summary>
public sealed class AddressPool
{
    private readonly HashSet<IPAddress> _gateways = [];

    internal AddressPool(CidrAddress subnet, IPAddress first, IPAddress last, IEnumerable<string> gateways)
    {
        (Subnet, First, Last) = (subnet, first, last);
        // The whole of IPv6 has one address more than there are numbers.
        var further = CidrAddress.ToValue(last) - CidrAddress.ToValue(first);
        Size = further == UInt128.MaxValue ? further : further + 1;
        foreach (var gateway in gateways)
        {
            // One that cannot be read is NetworkRules' business.
            if (CidrAddress.TryParseAddress(gateway, out var address))
                _gateways.Add(address);
        }
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
    public static AddressPool? IPv4(Network network) => Of(network, ipv6: false);

    /// <summary>The IPv6 pool; null if the network has no net6.</summary>
    /// <exception cref="NetworkFaultException">The net6 or a member of the pool cannot be used.</exception>
    public static AddressPool? IPv6(Network network) => Of(network, ipv6: true);

    /// <summary>
    /// What a pool spans that says nothing else: the subnet but its first and last address; all of a subnet of one or two addresses,
    /// which has no ends to leave out.
    /// </summary>
    public static (IPAddress First, IPAddress Last) DefaultRange(CidrAddress subnet)
    {
        var margin = subnet.PrefixLength >= subnet.Bits - 1 ? (UInt128)0 : 1;
        return (CidrAddress.FromValue(CidrAddress.ToValue(subnet.Network.Address) + margin, subnet.IsIPv6),
            CidrAddress.FromValue(CidrAddress.ToValue(subnet.Last) - margin, subnet.IsIPv6));
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

    private static AddressPool? Of(Network network, bool ipv6)
    {
        ArgumentNullException.ThrowIfNull(network);
        var faults = new List<NetworkFault>();
        var pool = new PoolReader(ipv6, faults).Read(network.Spec.Options);
        return faults.Count == 0 ? pool : throw new NetworkFaultException(faults);
    }
}
