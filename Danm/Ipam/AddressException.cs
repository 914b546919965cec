using System.Net;
using Danm.Api;

namespace Danm.Ipam;

/// <summary>Why an address cannot be had.</summary>
public enum AddressFault
{
    /// <summary>The pool has none left.</summary>
    Exhausted,

    /// <summary>Somebody else has it.</summary>
    InUse,

    /// <summary>It is not in the subnet, nobody may have it, or the network has no subnet of its family.</summary>
    NotAvailable,
}

/// <summary>An address cannot be had; the message names the network and says what to do.</summary>
public sealed class AddressException : Exception
{
    private AddressException(AddressFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>Why.</summary>
    public AddressFault Fault { get; }

    /// <summary>Refuses at once what no allocation could make good.</summary>
    /// <exception cref="AddressException">The wanted address is outside the subnet or reserved.</exception>
    public static void Check(AddressClaim claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        if (claim.Static is not { } address)
            return;
        if (!claim.Pool.Subnet.Contains(address))
        {
            throw new AddressException(
                AddressFault.NotAvailable,
                $"address {address} is outside the subnet {claim.Pool.Subnet.Network} of {claim.Network.Ref}: ask for an address inside it");
        }

        if (claim.Pool.IsReserved(address))
        {
            throw new AddressException(
                AddressFault.NotAvailable,
                $"address {address} of {claim.Network.Ref} is reserved (network, broadcast, anycast address or a route's gateway): ask for another one");
        }
    }

    /// <summary>A family is asked for that the network has no subnet of.</summary>
    public static AddressException NoSubnet(NetworkRef network, bool ipv6) => new(
        AddressFault.NotAvailable,
        $"{network} has no {(ipv6 ? "net6" : "cidr")}, so it gives no {(ipv6 ? "IPv6" : "IPv4")} address: leave out {(ipv6 ? "ip6" : "ip")}, or ask for 'none'");

    internal static AddressException Exhausted(AddressClaim claim) => new(
        AddressFault.Exhausted,
        $"{claim.Network.Ref} has no free address left in its pool {claim.Pool} (segment {claim.Segment.Text}): widen the pool or remove Pods");

    internal static AddressException InUse(AddressClaim claim, IPAddress address, IPAllocation? holder)
    {
        var owner = holder?.Spec.Owner;
        var where = $"interface {owner?.Interface}, node {holder?.Spec.NodeName ?? "unknown"}, through {holder?.Spec.Network}";
        var who = owner switch
        {
            null => "somebody who comes and goes",
            { Pod: null } => $"container {owner.ContainerId} ({where})",
            _ => $"Pod {owner.Namespace}/{owner.Pod} (uid {owner.PodUid}, {where})",
        };
        return new AddressException(
            AddressFault.InUse, $"address {address} of {claim.Network.Ref} is in use by {who}: ask for another one, or remove that {(owner is { Pod: null } ? "container" : "Pod")}");
    }
}
