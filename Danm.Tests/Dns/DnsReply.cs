namespace Danm.Tests.Dns;

/// <summary>What is said to a question, with authority.</summary>
/// <param name="Additional">What the asker would ask for next; left out where there is no room.</param>
public sealed record DnsReply(DnsCode Code, IReadOnlyList<DnsRecord> Answers, IReadOnlyList<DnsRecord> Authority, IReadOnlyList<DnsRecord> Additional)
{
    private const ushort OwnPayloadLimit = 1232;
    private const int OptionsLength = 11;

    public static DnsReply Of(DnsCode code, params DnsRecord[] authority) => new(code, [], authority, []);

    public static DnsReply Of(params DnsRecord[] answers) => new(DnsCode.NoError, answers, [], []);

    /// <param name="limit">Bytes; answers beyond it are left out, and the reply says so.</param>
    public byte[] Write(DnsQuery query, int limit)
    {
        var writer = new DnsWriter();
        writer.Write(query.Id);
        writer.Write((ushort)(0x8400 /* a reply, with authority */ | (query.WantsRecursion ? 0x0100 : 0) | (int)Code));
        writer.Write((ushort)1);
        writer.Write("\0\0\0\0\0\0"u8);
        writer.Write(query.Name);
        writer.Write((ushort)query.Type);
        writer.Write((ushort)1 /* IN */);
        var room = limit - (query.PayloadLimit is null ? 0 : OptionsLength);
        var answers = WriteSome(writer, Answers, room);
        if (answers < Answers.Count)
            writer.WriteAt(2, (ushort)(0x8600 /* truncated too */ | (query.WantsRecursion ? 0x0100 : 0) | (int)Code));
        var authority = WriteSome(writer, Authority, room);
        var additional = WriteSome(writer, Additional, room);
        if (query.PayloadLimit is not null)
        {
            writer.Write(DnsName.Root);
            writer.Write((ushort)DnsType.Opt);
            writer.Write(OwnPayloadLimit);
            writer.Write("\0\0\0\0\0\0"u8);
            additional++;
        }

        foreach (var (place, count) in ((int, int)[])[(6, answers), (8, authority), (10, additional)])
            writer.WriteAt(place, (ushort)count);
        return writer.Written.ToArray();
    }

    private static int WriteSome(DnsWriter writer, IReadOnlyList<DnsRecord> records, int room)
    {
        for (var count = 0; count < records.Count; count++)
        {
            var before = writer.Length;
            writer.Write(records[count]);
            if (writer.Length <= room)
                continue;
            writer.Shorten(before);
            return count;
        }

        return records.Count;
    }
}
