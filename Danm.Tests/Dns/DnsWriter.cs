using System.Buffers.Binary;
using System.Text;

namespace Danm.Tests.Dns;

/// <summary>Writes a message; a name that was written before is pointed to (RFC 1035, section 4.1.4).</summary>
internal sealed class DnsWriter
{
    private const int Pointer = 0xC000, Reach = 0x4000;

    private readonly Dictionary<DnsName, int> places = [];
    private byte[] buffer = new byte[1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, Length);

    public void Write(byte value) => Take(1)[0] = value;

    public void Write(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void Write(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    public void Write(DnsName name, bool mayPoint = true)
    {
        for (var i = 0; i < name.Labels.Count; i++)
        {
            var rest = new DnsName([.. name.Labels.Skip(i)]);
            if (mayPoint && places.TryGetValue(rest, out var place))
            {
                Write((ushort)(Pointer | place));
                return;
            }

            if (Length < Reach)
                places.TryAdd(rest, Length);
            Write((byte)name.Labels[i].Length);
            Write(Encoding.Latin1.GetBytes(name.Labels[i]));
        }

        Write((byte)0);
    }

    public void Write(DnsRecord record)
    {
        Write(record.Name);
        Write((ushort)record.Type);
        Write((ushort)1 /* IN */);
        Write(record.Lifetime);
        var start = Length;
        Write((ushort)0);
        record.WriteData(this);
        WriteAt(start, (ushort)(Length - start - 2));
    }

    public void WriteAt(int place, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(place), value);

    /// <summary>Takes back what was written last, and all knowledge of names in it.</summary>
    public void Shorten(int length)
    {
        Length = length;
        foreach (var (name, place) in places.ToArray())
            if (place >= length)
                places.Remove(name);
    }

    private Span<byte> Take(int count)
    {
        if (buffer.Length < Length + count)
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, Length + count));
        Length += count;
        return buffer.AsSpan(Length - count, count);
    }
}
