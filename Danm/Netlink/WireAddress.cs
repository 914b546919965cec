using System.Net;
using System.Net.Sockets;

namespace Danm.Netlink;

/// <summary>Addresses between .NET's types and the kernel's pair of family and bytes.</summary>
internal static class WireAddress
{
    public static byte Family(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)Native.AF_INET6 : (byte)Native.AF_INET;

    public static byte Family(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => Native.AF_INET,
        AddressFamily.InterNetworkV6 => Native.AF_INET6,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "neither IPv4 nor IPv6"),
    };

    /// <summary>An address and its length, if they are of the family that the message claims; an absent address is all zero.</summary>
    public static bool TryCombine(byte family, IPAddress? address, byte prefixLength, out CidrAddress cidr)
    {
        cidr = default;
        if (family is not (Native.AF_INET or Native.AF_INET6))
            return false;
        address ??= family == Native.AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any;
        if (Family(address) != family || prefixLength > (family == Native.AF_INET6 ? 128 : 32))
            ThrowHelper.Malformed("address");
        cidr = new CidrAddress(address, prefixLength);
        return true;
    }
}
