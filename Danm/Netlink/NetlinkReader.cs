using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Danm.Netlink;

/// <summary>Reads the messages of one datagram. No length in it is trusted.</summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>How many bytes are still unread.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Reads the next message; false at the end.</summary>
    /// <exception cref="NetlinkException">The message is cut off or contradicts itself (EBADMSG).</exception>
    public bool TryRead(out NetlinkMessage message)
    {
        message = default;
        if (_rest.IsEmpty)
            return false;
        if (!MemoryMarshal.TryRead<NlMsgHdr>(_rest, out var header) || header.Length < NlMsgHdr.Size || header.Length > (uint)_rest.Length)
            ThrowHelper.Malformed("message header");
        message = new NetlinkMessage(header, _rest[NlMsgHdr.Size..(int)header.Length]);
        _rest = _rest[Math.Min(_rest.Length, ((int)header.Length + 3) & ~3)..];
        return true;
    }
}

/// <summary>One message: its header and what follows it.</summary>
internal readonly ref struct NetlinkMessage(NlMsgHdr header, ReadOnlySpan<byte> payload)
{
    public ushort Type => header.Type;
    public ushort Flags => header.Flags;
    public uint Sequence => header.Sequence;
    public ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Splits the payload into the family's header and the attributes behind it.</summary>
    public AttributeReader Split<THeader>(out THeader familyHeader) where THeader : unmanaged
    {
        if (!MemoryMarshal.TryRead(Payload, out familyHeader))
            ThrowHelper.Malformed("family header");
        return new AttributeReader(Payload[Math.Min(Payload.Length, (Unsafe.SizeOf<THeader>() + 3) & ~3)..]);
    }
}

/// <summary>Reads attributes one after the other.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> attributes)
{
    private const ushort TypeMask = 0x3fff;

    private ReadOnlySpan<byte> _rest = attributes;

    public ushort Type { get; private set; }
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Moves to the next attribute; false at the end.</summary>
    /// <exception cref="NetlinkException">The attribute is cut off or contradicts itself (EBADMSG).</exception>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        if (_rest.Length < 4)
            ThrowHelper.Malformed("attribute header");
        var length = MemoryMarshal.Read<ushort>(_rest);
        if (length < 4 || length > _rest.Length)
            ThrowHelper.Malformed("attribute length");
        Type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & TypeMask);
        Value = _rest[4..length];
        _rest = _rest[Math.Min(_rest.Length, (length + 3) & ~3)..];
        return true;
    }

    public readonly AttributeReader Nested => new(Value);

    public readonly byte Byte => Read<byte>();

    public readonly ushort UInt16 => Read<ushort>();

    public readonly ushort UInt16BigEndian =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Read<ushort>()) : Read<ushort>();

    public readonly uint UInt32 => Read<uint>();

    public readonly int Int32 => Read<int>();

    /// <summary>The text up to the first NUL.</summary>
    public readonly string Text
    {
        get
        {
            var end = Value.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
        }
    }

    public readonly IPAddress Address
    {
        get
        {
            if (Value.Length is not (4 or 16))
                ThrowHelper.Malformed("address");
            return new IPAddress(Value);
        }
    }

    /// <summary>The link-layer address; null if it is not one of Ethernet (a tunnel's has 4 bytes, Infiniband's 20).</summary>
    public readonly MacAddress? LinkLayerAddress => Value.Length == MacAddress.Length ? new MacAddress(Value) : null;

    private readonly T Read<T>() where T : unmanaged
    {
        if (!MemoryMarshal.TryRead<T>(Value, out var value))
            ThrowHelper.Malformed("attribute value");
        return value;
    }
}
