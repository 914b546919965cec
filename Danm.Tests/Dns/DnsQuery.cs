using System.Buffers.Binary;
using System.Text;

namespace Danm.Tests.Dns;

/// <summary>One question, and what its asker can take.</summary>
/// <param name="Type">May be one that has no name here.</param>
/// <param name="PayloadLimit">The longest datagram that it takes, where it says so (RFC 6891).</param>
public sealed record DnsQuery(ushort Id, bool WantsRecursion, DnsName Name, DnsType Type, int? PayloadLimit = null)
{
    private const int HeaderLength = 12;

    /// <summary>Null: it is not even a query, and gets no reply.</summary>
    /// <exception cref="FormatException">It asks for anything but one thing, or is cut off.</exception>
    public static DnsQuery? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength || (message[2] & 0x80) != 0)
            return null;
        if ((message[2] & 0x78) != 0 || Number(message, 4) != 1)
            throw new FormatException("not one plain question");
        var at = HeaderLength;
        var labels = new List<string>();
        for (; At(message, at) != 0; at += 1 + message[at])
            labels.Add(message[at] <= 63 && at + 1 + message[at] < message.Length
                ? Encoding.Latin1.GetString(message.Slice(at + 1, message[at]))
                : throw new FormatException("a label that is none"));
        var type = (DnsType)Number(message, at + 1);
        at += 5;
        // Of what may follow, an OPT record says how much the asker takes; its name is the root.
        var hasOptions = Number(message, 6) == 0 && Number(message, 8) == 0 && Number(message, 10) > 0 && At(message, at) == 0 && Number(message, at + 1) == (int)DnsType.Opt;
        return new DnsQuery(Number(message, 0), (message[2] & 1) != 0, new DnsName(labels), type, hasOptions ? Number(message, at + 3) : null);
    }

    private static byte At(ReadOnlySpan<byte> message, int at) => at < message.Length ? message[at] : throw new FormatException("cut off");

    private static ushort Number(ReadOnlySpan<byte> message, int at) =>
        at + 2 <= message.Length ? BinaryPrimitives.ReadUInt16BigEndian(message[at..]) : throw new FormatException("cut off");
}
