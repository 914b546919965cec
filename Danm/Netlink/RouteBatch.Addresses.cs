namespace Danm.Netlink;

public sealed partial class RouteBatch
{
    /// <summary>Gives an interface an address. The broadcast address is set for IPv4 subnets up to /30.</summary>
    /// <param name="index">The interface.</param>
    /// <param name="address">The address with its subnet's length.</param>
    /// <param name="noDad">IPv6: use it at once, without duplicate address detection (RFC 4862 section 5.4).</param>
    /// <param name="replace">Change the flags of the address if it is there, instead of failing with EEXIST.</param>
    /// <param name="noPrefixRoute">Make no route to its subnet.</param>
    public void AddAddress(int index, CidrAddress address, bool noDad = false, bool replace = false, bool noPrefixRoute = false)
    {
        var flags = noDad ? AddressFlags.NoDad : AddressFlags.None;
        var writer = Begin(
            Rtm.NewAddress, (ushort)(NlmF.Create | (replace ? NlmF.Replace : NlmF.Exclusive)), AddressHeader(index, address, (byte)flags));
        writer.Put(Ifa.Local, address.Address);
        writer.Put(Ifa.Address, address.Address);
        if (!address.IsIPv6 && address.PrefixLength < 31)
            writer.Put(Ifa.Broadcast, address.Last);
        // The header has room for the flags of old only.
        if (noPrefixRoute)
            writer.Put(Ifa.Flags, (uint)(flags | AddressFlags.NoPrefixRoute));
        End(writer, "add address", new AddressSubject(address, index));
    }

    /// <summary>Takes an address from an interface; one that is not there counts as taken.</summary>
    public void DeleteAddress(int index, CidrAddress address)
    {
        var writer = Begin(Rtm.DeleteAddress, 0, AddressHeader(index, address, 0));
        writer.Put(Ifa.Local, address.Address);
        writer.Put(Ifa.Address, address.Address);
        End(writer, "delete address", new AddressSubject(address, index), Errno.EADDRNOTAVAIL);
    }

    private static IfAddrMsg AddressHeader(int index, CidrAddress address, byte flags) => new()
    {
        Family = WireAddress.Family(address.Address),
        PrefixLength = (byte)address.PrefixLength,
        Flags = flags,
        Index = index,
    };

    private sealed record AddressSubject(CidrAddress Address, int Index)
    {
        public override string ToString() => $"{Address} dev {Index}";
    }
}
