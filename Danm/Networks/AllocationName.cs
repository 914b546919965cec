using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>
/// The names of IPAllocations: address, dot, segment. One address on one segment has one name, so that creating the object
/// is the lock on the address.
/// </summary>
public static class AllocationName
{
    // Eight groups of four digits.
    private const int IPv6Length = 39;

    /// <summary><c>10-1-0-5.vlan500.ens4</c>; IPv6 as eight groups of four hex digits, all written out.</summary>
    public static string For(IPAddress address, Segment segment)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(segment);
        return $"{Spell(address)}.{segment.Name}";
    }

    /// <summary>Reads a name back. Only the one spelling that <see cref="For"/> makes is taken.</summary>
    /// <param name="name">An object's name.</param>
    /// <param name="address">The address.</param>
    /// <param name="segmentName"><see cref="Segment.Name"/> of the segment, which may be a hash.</param>
    public static bool TryParse(
        string? name, [NotNullWhen(true)] out IPAddress? address, [NotNullWhen(true)] out string? segmentName)
    {
        (address, segmentName) = (null, null);
        var dot = name?.IndexOf('.') ?? -1;
        if (dot is <= 0 or > IPv6Length || dot == name!.Length - 1)
            return false;
        Span<byte> spelled = stackalloc byte[dot];
        if (Encoding.ASCII.GetBytes(name.AsSpan(0, dot), spelled) != dot || !TryReadAddress(spelled, out var value, out var isIPv6))
            return false;
        (address, segmentName) = (CidrAddress.FromValue(value, isIPv6), name[(dot + 1)..]);
        return true;
    }

    /// <summary>The same for a name as it comes over the wire, nothing allocated: lists of a wire's addresses are long.</summary>
    /// <param name="name">An object's name, UTF-8.</param>
    /// <param name="value">The address as <see cref="CidrAddress.ToValue"/> has it.</param>
    /// <param name="isIPv6">Its family.</param>
    /// <param name="segmentName"><see cref="Segment.Name"/> of the segment, UTF-8.</param>
    public static bool TryParse(ReadOnlySpan<byte> name, out UInt128 value, out bool isIPv6, out ReadOnlySpan<byte> segmentName)
    {
        var dot = name.IndexOf((byte)'.');
        segmentName = name[(dot + 1)..];
        if (dot > 0 && !segmentName.IsEmpty)
            return TryReadAddress(name[..dot], out value, out isIPv6);
        (value, isIPv6) = (0, false);
        return false;
    }

    private static bool TryReadAddress(ReadOnlySpan<byte> spelled, out UInt128 value, out bool isIPv6)
    {
        isIPv6 = spelled.Length == IPv6Length;
        return isIPv6 ? TryReadIPv6(spelled, out value) : TryReadIPv4(spelled, out value);
    }

    private static bool TryReadIPv4(ReadOnlySpan<byte> spelled, out UInt128 value)
    {
        value = 0;
        var address = 0u;
        for (var number = 0; number < 4; number++)
        {
            if (!Utf8Parser.TryParse(spelled, out byte part, out var length) || (spelled[0] == '0' && length > 1) || spelled[0] == '+')
                return false;
            address = (address << 8) | part;
            spelled = spelled[length..];
            if (number == 3 ? !spelled.IsEmpty : spelled.IsEmpty || spelled[0] != '-')
                return false;
            spelled = number == 3 ? spelled : spelled[1..];
        }

        value = address;
        return true;
    }

    private static bool TryReadIPv6(ReadOnlySpan<byte> spelled, out UInt128 value)
    {
        value = 0;
        for (var i = 0; i < spelled.Length; i++)
        {
            var c = (char)spelled[i];
            if (i % 5 == 4 ? c != '-' : !char.IsAsciiHexDigitLower(c))
                return false;
            if (i % 5 < 4)
                value = (value << 4) | (uint)(c <= '9' ? c - '0' : c - 'a' + 10);
        }

        // A mapped IPv4 address has its IPv4 name.
        return value >> 32 != 0xffff;
    }

    private static string Spell(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return address.ToString().Replace('.', '-');
        var digits = CidrAddress.ToValue(address).ToString("x32", CultureInfo.InvariantCulture);
        return string.Create(IPv6Length, digits, static (name, digits) =>
        {
            for (var group = 0; group < 8; group++)
            {
                digits.AsSpan(group * 4, 4).CopyTo(name[(group * 5)..]);
                if (group < 7)
                    name[(group * 5) + 4] = '-';
            }
        });
    }
}
