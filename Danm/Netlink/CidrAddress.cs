using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Danm.Netlink;

/// <summary>
/// An IP address together with the prefix length of its subnet, as in <c>10.0.0.5/24</c> or <c>fd00::5/64</c>
/// (RFC 4632 section 3.1, RFC 4291 section 2.3). The host bits are kept, unlike in <see cref="IPNetwork"/>.
/// </summary>
/// <param name="Address">The address; never IPv4-mapped, never with a zone.</param>
/// <param name="PrefixLength">The subnet's length in bits: 0 to 32, resp. 0 to 128.</param>
public readonly record struct CidrAddress(IPAddress Address, int PrefixLength)
{
    /// <summary>Whether this is an IPv6 address.</summary>
    public bool IsIPv6 => Address.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>The length of the address in bits: 32 or 128.</summary>
    public int Bits => IsIPv6 ? 128 : 32;

    /// <summary>The first address of the subnet, with the same prefix length.</summary>
    public CidrAddress Network => new(FromValue(ToValue(Address) & Mask, IsIPv6), PrefixLength);

    /// <summary>The last address of the subnet; the broadcast address of an IPv4 subnet up to /30.</summary>
    public IPAddress Last => FromValue(ToValue(Address) | (~Mask & FullMask), IsIPv6);

    /// <summary>The same address as a host route: /32 or /128.</summary>
    public CidrAddress Host => new(Address, Bits);

    private UInt128 FullMask => IsIPv6 ? UInt128.MaxValue : uint.MaxValue;

    private UInt128 Mask => PrefixLength == 0 ? 0 : (FullMask << (Bits - PrefixLength)) & FullMask;

    /// <summary>Whether <paramref name="address"/> is of this family and inside the subnet.</summary>
    public bool Contains(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.AddressFamily == Address.AddressFamily && (ToValue(address) & Mask) == (ToValue(Address) & Mask);
    }

    /// <summary>Whether every address of <paramref name="other"/> is inside this subnet.</summary>
    public bool Contains(CidrAddress other) => other.PrefixLength >= PrefixLength && Contains(other.Address);

    /// <summary>Reads <c>address/length</c>; refuses zones, shorthands such as <c>10.1/16</c>, octal, and IPv4-mapped text.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out CidrAddress value)
    {
        value = default;
        var slash = text.IndexOf('/');
        if (slash < 0 || !TryParseAddress(text[..slash], out var address))
            return false;
        var length = text[(slash + 1)..];
        if (length.Length is 0 or > 3 || length.ContainsAnyExceptInRange('0', '9') || (length.Length > 1 && length[0] == '0'))
            return false;
        var bits = int.Parse(length);
        if (bits > (address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32))
            return false;
        value = new CidrAddress(address, bits);
        return true;
    }

    /// <summary>Reads <c>address/length</c>.</summary>
    /// <exception cref="FormatException">The text is no such address.</exception>
    public static CidrAddress Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"'{text}' is not an address with a prefix length");

    /// <summary>
    /// Reads one address in its usual spelling: four decimal numbers without leading zeros, or RFC 4291 text without a zone.
    /// <see cref="IPAddress.TryParse(ReadOnlySpan{char}, out IPAddress)"/> alone would take <c>10.1</c>, <c>0x0a000001</c> and <c>[::1]</c>.
    /// </summary>
    public static bool TryParseAddress(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (text.Length is 0 or > 45 || text.ContainsAny("%[]/ ") || !IPAddress.TryParse(text, out var parsed))
            return false;
        if (parsed.AddressFamily == AddressFamily.InterNetwork)
        {
            Span<char> canonical = stackalloc char[15];
            if (!parsed.TryFormat(canonical, out var written) || !text.SequenceEqual(canonical[..written]))
                return false;
        }
        else if (parsed.IsIPv4MappedToIPv6)
        {
            return false;
        }

        address = parsed;
        return true;
    }

    /// <summary>The address as a number, for arithmetic over a subnet.</summary>
    public static UInt128 ToValue(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        return written == 4
            ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>The address that <see cref="ToValue"/> made a number.</summary>
    public static IPAddress FromValue(UInt128 value, bool ipv6)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new IPAddress(ipv6 ? bytes : bytes[12..]);
    }

    /// <summary><c>address/length</c>, IPv6 in the spelling of RFC 5952.</summary>
    public override string ToString() => $"{Address}/{PrefixLength}";
}
