using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Danm.Netlink;

/// <summary>
/// Writes netlink messages one after the other into a buffer of the caller. A message is a header, a family header and
/// attributes: <c>length u16, type u16, payload, padding to 4</c>; all numbers in the machine's byte order unless said otherwise.
/// </summary>
internal ref struct NetlinkWriter(Span<byte> buffer)
{
    private const ushort NestedFlag = 0x8000;

    private readonly Span<byte> _buffer = buffer;
    private int _length;
    private int _message;

    public readonly Span<byte> Written => _buffer[.._length];

    /// <summary>Begins a message whose sequence number the conversation fills in when it sends.</summary>
    public void BeginMessage<THeader>(ushort type, ushort flags, in THeader header) where THeader : unmanaged
    {
        _message = _length;
        Append(new NlMsgHdr { Type = type, Flags = (ushort)(flags | NlmF.Request) });
        Append(header);
    }

    public readonly void EndMessage() => MemoryMarshal.Write(_buffer[_message..], (uint)(_length - _message));

    /// <summary>Begins an attribute that holds others; the result is for <see cref="EndNested"/>.</summary>
    public int BeginNested(ushort type)
    {
        var start = _length;
        PutAttributeHeader((ushort)(type | NestedFlag), 0);
        return start;
    }

    public readonly void EndNested(int start) => MemoryMarshal.Write(_buffer[start..], checked((ushort)(_length - start)));

    public void Put(ushort type, byte value) => Put(type, [value]);

    public void Put(ushort type, ushort value) => Put(type, MemoryMarshal.AsBytes(new ReadOnlySpan<ushort>(in value)));

    public void Put(ushort type, uint value) => Put(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    public void Put(ushort type, int value) => Put(type, (uint)value);

    public void PutBigEndian(ushort type, ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        Put(type, bytes);
    }

    public void Put(ushort type, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, out var written);
        Put(type, bytes[..written]);
    }

    public void Put(ushort type, MacAddress value)
    {
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        value.CopyTo(bytes);
        Put(type, bytes);
    }

    /// <summary>Puts the text in UTF-8 and the terminating NUL.</summary>
    public void Put(ushort type, string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        var room = PutAttributeHeader(type, count + 1);
        Encoding.UTF8.GetBytes(value, room);
        room[count] = 0;
    }

    public void Put(ushort type, scoped ReadOnlySpan<byte> value) => value.CopyTo(PutAttributeHeader(type, value.Length));

    public void Append<T>(in T value) where T : unmanaged => MemoryMarshal.Write(Take(Unsafe.SizeOf<T>()), value);

    private Span<byte> PutAttributeHeader(ushort type, int payload)
    {
        var header = Take(2 * sizeof(ushort));
        MemoryMarshal.Write(header, checked((ushort)(header.Length + payload)));
        MemoryMarshal.Write(header[sizeof(ushort)..], type);
        return Take(payload)[..payload];
    }

    private Span<byte> Take(int length)
    {
        var padded = (length + 3) & ~3;
        if (padded > _buffer.Length - _length)
            ThrowHelper.RequestTooLong();
        var room = _buffer.Slice(_length, padded);
        room[length..].Clear();
        _length += padded;
        return room;
    }
}
