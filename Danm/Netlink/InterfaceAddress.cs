namespace Danm.Netlink;

/// <summary>An address on an interface (RTM_NEWADDR).</summary>
/// <param name="LinkIndex">The interface.</param>
/// <param name="Address">The address with its subnet's prefix length.</param>
/// <param name="Scope">How far it is valid.</param>
/// <param name="Flags">Its state.</param>
public readonly record struct InterfaceAddress(int LinkIndex, CidrAddress Address, RouteScope Scope, AddressFlags Flags)
{
    internal static bool TryParse(in NetlinkMessage message, out InterfaceAddress address)
    {
        address = default;
        if (message.Type != Rtm.NewAddress)
            return false;
        var attributes = message.Split<IfAddrMsg>(out var header);
        if (header.Family is not (Native.AF_INET or Native.AF_INET6))
            return false;
        System.Net.IPAddress? local = null, peer = null;
        uint flags = header.Flags;
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                // On a point-to-point link IFA_ADDRESS is the other end; IPv6 has IFA_LOCAL only there.
                case Ifa.Local:
                    local = attributes.Address;
                    break;
                case Ifa.Address:
                    peer = attributes.Address;
                    break;
                case Ifa.Flags:
                    flags = attributes.UInt32;
                    break;
            }
        }

        if ((local ?? peer) is not { } own || !WireAddress.TryCombine(header.Family, own, header.PrefixLength, out var cidr))
            return false;
        address = new InterfaceAddress(header.Index, cidr, (RouteScope)header.Scope, (AddressFlags)flags);
        return true;
    }
}

/// <summary>State of an address (<c>IFA_F_*</c>).</summary>
[Flags]
public enum AddressFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Not the first of its subnet on the interface.</summary>
    Secondary = 0x1,

    /// <summary>Used at once, without duplicate address detection.</summary>
    NoDad = 0x2,

    /// <summary>Duplicate address detection found another owner.</summary>
    DadFailed = 0x8,

    /// <summary>Duplicate address detection is running.</summary>
    Tentative = 0x40,

    /// <summary>Without an end of life.</summary>
    Permanent = 0x80,

    /// <summary>The kernel makes no route to the subnet of its own accord.</summary>
    NoPrefixRoute = 0x200,
}
