using System.Globalization;

namespace Danm.Netlink;

/// <summary>A 48-bit Ethernet address. Its text is <c>02:42:0a:00:00:05</c>, lower case, as the kernel and CNI write it.</summary>
public readonly record struct MacAddress
{
    /// <summary>The length in bytes.</summary>
    public const int Length = 6;

    private readonly ulong _value;

    /// <summary>Reads the six bytes, first byte of the text first.</summary>
    /// <exception cref="ArgumentException">Not six bytes.</exception>
    public MacAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException("an Ethernet address has six bytes", nameof(bytes));
        foreach (var b in bytes)
            _value = _value << 8 | b;
    }

    /// <summary>The address of no interface: all zero, as in head-end replication entries of a VxLAN.</summary>
    public static MacAddress Zero => default;

    /// <summary>Writes the six bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        for (var i = 0; i < Length; i++)
            destination[i] = (byte)(_value >> (8 * (Length - 1 - i)));
    }

    /// <summary>Reads six pairs of hexadecimal digits with colons between them.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != 3 * Length - 1)
            return false;
        Span<byte> bytes = stackalloc byte[Length];
        for (var i = 0; i < Length; i++)
        {
            if (i > 0 && text[3 * i - 1] != ':')
                return false;
            if (!byte.TryParse(text.Slice(3 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i]))
                return false;
        }

        address = new MacAddress(bytes);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        return string.Create(3 * Length - 1, _value, static (span, value) =>
        {
            for (var i = 0; i < Length; i++)
            {
                var b = (byte)(value >> (8 * (Length - 1 - i)));
                b.TryFormat(span[(3 * i)..], out _, "x2", CultureInfo.InvariantCulture);
                if (i > 0)
                    span[3 * i - 1] = ':';
            }
        });
    }
}
