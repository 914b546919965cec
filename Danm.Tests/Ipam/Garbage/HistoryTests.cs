using CsCheck;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>Random concurrent histories of a small cluster against a model.</summary>
[TestFixture, Parallelizable]
public sealed class HistoryTests : GarbageFixture
{
    private const int Histories = 2000;

    private static readonly Gen<HistoryStep> Step =
        from what in Gen.Frequency(
            (8, Gen.Const(Happening.Add)), (2, Gen.Const(Happening.AddStatic)), (3, Gen.Const(Happening.KilledAdd)), (3, Gen.Const(Happening.Del)),
            (2, Gen.Const(Happening.KilledDel)), (2, Gen.Const(Happening.Vanish)), (4, Gen.Const(Happening.Collect)), (1, Gen.Const(Happening.EditPool)),
            (1, Gen.Const(Happening.Mistake)), (1, Gen.Const(Happening.Reboot)), (1, Gen.Frequency((1, Gen.Const(Happening.LoseNode)), (4, Gen.Const(Happening.Add)))),
            (1, Gen.Frequency((1, Gen.Const(Happening.LoseAnswer)), (1, Gen.Const(Happening.BreakConnection)), (1, Gen.Const(Happening.ServerError)), (5, Gen.Const(Happening.Del)))))
        from which in Gen.Int[0, 99]
        from moment in Gen.Int[0, 400]
        select new HistoryStep(what, which, moment);

    [Test]
    public async Task Nothing_is_given_twice_nothing_leaks_and_nothing_that_lives_is_freed()
    {
        await Step.Array[1, 8].Array[1, 3].SampleAsync(async lanes =>
        {
            await using var history = new History(Server, Api);
            await history.RunAsync(lanes);
            await history.SettleAsync();
            if (!history.Faults.IsEmpty)
                throw new AssertionException(string.Join('\n', history.Faults));
        }, iter: Histories, threads: 1, print: lanes => string.Join("\n", lanes.Select(l => string.Join(' ', l))));

        // A test that never meets what it is about proves nothing.
        History.Seen.Keys.Should().Contain(Enum.GetNames<Happening>()).And.Contain(["an ADD was killed", "a DEL was killed", "Exhausted", "gc: Freed", "gc: Restored"]);
        await TestContext.Progress.WriteLineAsync($"{Histories} histories: {string.Join(", ", History.Seen.OrderByDescending(s => s.Value).Select(s => $"{s.Key} {s.Value}"))}");
    }
}
