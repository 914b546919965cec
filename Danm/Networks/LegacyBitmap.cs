using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Text;
using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>
/// The bitmap in which the original kept a network's addresses (<c>alloc</c>, <c>alloc6</c>): padded base64 of bytes without any header,
/// the most significant bit of a byte first. Bit i stands for the subnet's base address + i and is set if the address is taken or
/// reserved. It spans the whole subnet, whatever the pool.
/// </summary>
public sealed class LegacyBitmap
{
    /// <summary>What the original's largest subnet took, in bytes: 8,388,608 addresses.</summary>
    public const int MaxBytes = 1 << 20;

    private readonly byte[] bits;

    private LegacyBitmap(byte[] bits, CidrAddress subnet) => (this.bits, Subnet) = (bits, subnet);

    /// <summary>The subnet whose base address bit 0 stands for; without host bits.</summary>
    public CidrAddress Subnet { get; }

    /// <summary>Every address whose bit is set, in order.</summary>
    public IEnumerable<IPAddress> Addresses
    {
        get
        {
            for (var i = 0; i < bits.Length; i++)
            {
                for (var rest = bits[i]; rest != 0;)
                {
                    var bit = System.Numerics.BitOperations.LeadingZeroCount((uint)rest) - 24;
                    rest &= (byte)~(0x80 >> bit);
                    yield return CidrAddress.FromValue(CidrAddress.ToValue(Subnet.Address) + (UInt128)((i * 8) + bit), Subnet.IsIPv6);
                }
            }
        }
    }

    /// <summary>The IPv4 bitmap; null if the network has none.</summary>
    /// <exception cref="NetworkFaultException">The bitmap or its subnet cannot be read.</exception>
    public static LegacyBitmap? IPv4(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        return Read("spec.Options.alloc", options.Alloc, "spec.Options.cidr", options.Cidr, ipv6: false);
    }

    /// <summary>The IPv6 bitmap; null if the network has none.</summary>
    /// <exception cref="NetworkFaultException">The bitmap or its subnet cannot be read.</exception>
    public static LegacyBitmap? IPv6(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        return Read("spec.Options.alloc6", options.Alloc6, "spec.Options.allocation_pool_v6.cidr", options.AllocationPoolV6?.Cidr, ipv6: true);
    }

    /// <summary>Whether the address's bit is set; false where the bitmap has no bit for it.</summary>
    public bool Contains(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!Subnet.Contains(address))
            return false;
        var bit = CidrAddress.ToValue(address) - CidrAddress.ToValue(Subnet.Address);
        return bit < (UInt128)bits.Length * 8 && (bits[(int)(bit / 8)] & (0x80 >> (int)(bit % 8))) != 0;
    }

    private static LegacyBitmap? Read(string field, string? text, string subnetField, string? subnetText, bool ipv6)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (!CidrAddress.TryParse(subnetText, out var subnet) || subnet.IsIPv6 != ipv6)
            throw new NetworkFaultException(subnetField, subnetText, ipv6 ? NetworkRules.IPv6SubnetRule : NetworkRules.IPv4SubnetRule);
        subnet = subnet.Network;
        if (text.Length > Base64.GetMaxEncodedToUtf8Length(MaxBytes))
            throw TooLong();
        var bytes = Decode(field, text);
        if (bytes.Length > MaxBytes)
            throw TooLong();
        // A subnet that was changed later kept its bitmap: a short one says nothing of the rest, a long one is of another subnet.
        if (subnet.Bits - subnet.PrefixLength is < 23 and var size && HasMoreThan(bytes, 1 << size))
            throw new NetworkFaultException(field, text, $"has bits beyond the subnet {subnet}");
        return new LegacyBitmap(bytes, subnet);

        NetworkFaultException TooLong() => new(field, text, $"is longer than the {MaxBytes} bytes that a bitmap can have");
    }

    private static byte[] Decode(string field, string text)
    {
        // The converter would skip blanks between the characters.
        var source = Encoding.UTF8.GetBytes(text);
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(source.Length)];
        return !source.AsSpan().ContainsAny(" \t\r\n"u8)
            && Base64.DecodeFromUtf8(source, bytes, out var consumed, out var written) == OperationStatus.Done && consumed == source.Length
            ? bytes[..written]
            : throw new NetworkFaultException(field, text, "must be base64, padded, without blanks");
    }

    private static bool HasMoreThan(ReadOnlySpan<byte> bytes, int bits)
    {
        var whole = (bits + 7) / 8;
        return bytes.Length > whole || (bits < 8 && bytes.Length == 1 && (bytes[0] & (0xff >> bits)) != 0);
    }
}
