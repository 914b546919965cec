using System.Text.Json;
using CsCheck;
using Danm.State;

namespace Danm.Tests.State;

/// <summary>A journal cut off anywhere, as a crash or a power cut leaves it.</summary>
public sealed class CrashPointTests
{
    private static readonly Gen<string> Text = Gen.String[Gen.Char["aZ9-./\n\r\"\\{}[]é\u2028"], 0, 12];

    private static readonly Gen<SandboxRecord> Record = Gen.Select(
        Text, Gen.Enum<SandboxPhase>(), Gen.Bool,
        Gen.Select(Text, Text, (name, uid) => new ClaimRecord { Kind = "IPAllocation", Name = name, Uid = uid.Length == 0 ? null : uid, EndpointId = uid }).List[0, 3],
        (name, phase, search, claims) => new SandboxRecord { ContainerId = "c", PodUid = "u", PodName = name, Phase = phase, Search = search, Claims = claims });

    private static readonly Gen<Written> Journals = Gen.Select(Record, Gen.Bool).Array[1, 5].Select(Write);

    [Test]
    public void A_cut_anywhere_leaves_the_last_record_that_was_whole() =>
        Journals.Sample(written =>
        {
            for (var cut = 0; cut <= written.Bytes.Length; cut++)
            {
                var (last, damaged, _) = Journal.Read(written.Bytes.AsSpan(0, cut));

                // The line feed after a record adds nothing to it.
                var whole = written.Ends.FindLastIndex(end => end - 1 <= cut);
                Json(last).Should().Be(whole < 0 ? null : Json(written.Records[whole]), $"it was cut at {cut}");
                damaged.Should().Be(whole < 0 && cut > 1);
            }
        }, iter: 60);

    [Test]
    public void A_power_cut_never_loses_what_was_durable() =>
        Gen.Select(Journals, Gen.Double.Unit, Gen.Byte.Array[0, 40]).Sample((written, at, noise) =>
        {
            // Up to the last synced write the disk has everything; after it zeros, or whatever the block held before.
            var cut = Cut(written, at);
            var durable = written.Durable.FindLastIndex(index => written.Ends[index] <= cut);
            var end = durable < 0 ? 0 : written.Ends[written.Durable[durable]];
            var rest = written.Bytes.Length - end;
            byte[][] tails = [new byte[rest], noise, [.. written.Bytes.AsSpan(end, cut - end), .. noise]];
            foreach (var tail in tails)
            {
                var (last, damaged, _) = Journal.Read((byte[])[.. written.Bytes.AsSpan(0, end), .. tail]);
                if (durable < 0)
                {
                    (last is null && !damaged && tail.Any(b => b != '\n')).Should().BeFalse("content never reads as nothing to do");
                    continue;
                }

                written.Records.Skip(written.Durable[durable]).Select(Json).Should().Contain(Json(last));
                damaged.Should().BeFalse();
            }
        }, iter: 500);

    [Test]
    public void What_is_written_after_a_cut_is_read() =>
        Gen.Select(Journals, Gen.Double.Unit, Record).Sample((written, at, next) =>
        {
            using var state = new TemporaryState();
            state.CreateAsync().Result.Dispose();
            File.WriteAllBytes(state.Sandbox("u_c"), written.Bytes[..Cut(written, at)]);

            using (var journal = state.CreateAsync().Result)
                journal.Write(next, durable: false);

            using var again = state.CreateAsync().Result;
            Json(again.Last).Should().Be(Json(next with { BootId = NodeState.BootId }));
        }, iter: 200);

    private static int Cut(Written written, double at) => (int)(at * (written.Bytes.Length + 1));

    private static string? Json(SandboxRecord? record) => record is null ? null : JsonSerializer.Serialize(record, StateJson.Default.SandboxRecord);

    // The bytes come from the journal itself, so that the test knows nothing of their form but where each write ended.
    private static Written Write((SandboxRecord Record, bool Durable)[] records)
    {
        using var state = new TemporaryState();
        var written = new Written();
        using (var journal = state.CreateAsync().Result)
        {
            foreach (var (record, durable) in records)
            {
                journal.Write(record, durable);
                if (durable)
                    written.Durable.Add(written.Records.Count);
                written.Records.Add(record with { BootId = NodeState.BootId });
                written.Ends.Add((int)new FileInfo(state.Sandbox("u_c")).Length);
            }
        }

        written.Bytes = File.ReadAllBytes(state.Sandbox("u_c"));
        return written;
    }

    private sealed class Written
    {
        public byte[] Bytes { get; set; } = [];

        public List<SandboxRecord> Records { get; } = [];

        /// <summary>Length of the file after each record.</summary>
        public List<int> Ends { get; } = [];

        /// <summary>Places of the records that were synced.</summary>
        public List<int> Durable { get; } = [];
    }
}
