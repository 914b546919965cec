using System.Runtime.CompilerServices;
using Danm.Doctor;

namespace Danm.Tests.Doctor;

public class ExaminationTests
{
    [Test]
    public async Task A_check_that_breaks_has_failed_and_keeps_no_other_from_its_answer()
    {
        var results = await RunAsync(new Check("node-broken", _ => throw new InvalidOperationException("no such thing")), new Check("node-well", _ => [Finding.Ok("well")]));

        results[0].Findings.Should().Equal(Finding.Failed("could not check: no such thing", "mend what it says, then run it again"));
        results[1].Findings.Should().Equal(Finding.Ok("well"));
    }

    [Test]
    public async Task What_was_found_before_it_broke_is_kept()
    {
        var results = await RunAsync(new Check("node-half", Half));

        results[0].Findings.Select(f => f.Status).Should().Equal(CheckStatus.Warning, CheckStatus.Skipped);
        results[0].Findings[1].Should().Be(new Finding(CheckStatus.Skipped, "not from here", "there"));

        static IEnumerable<Finding> Half(CancellationToken cancellation)
        {
            yield return Finding.Warning("first", "do");
            throw new CheckSkippedException("not from here", "there");
        }
    }

    [Test]
    public async Task A_check_that_does_not_end_has_failed()
    {
        using var never = new ManualResetEventSlim();
        var results = await new Examination(TimeSpan.FromMilliseconds(300)).RunAsync([new Check("cluster-hangs", _ =>
        {
            never.Wait();
            return [];
        })], default);
        never.Set();

        results[0].Findings.Should().ContainSingle().Which.Found.Should().StartWith("could not check: no answer within");
    }

    [Test]
    public async Task Findings_are_bounded_and_safe_for_terminals()
    {
        var results = await RunAsync(new Check("cluster-many", _ => Enumerable.Range(0, 50).Select(i => Finding.Warning($"\u001b[31m{i}{new string('x', 5000)}", "\u202edo"))));

        results[0].Scope.Should().Be("cluster");
        results[0].Findings.Should().HaveCount(21);
        results[0].Findings[^1].Should().Match<Finding>(f => f.Status == CheckStatus.Warning && f.Found == "and 30 more");
        results[0].Findings.Should().OnlyContain(f => f.Found.Length < 1020 && !f.Found.Contains('\u001b') && !f.Advice!.Contains('\u202e'));
    }

    [Test]
    public async Task No_finding_is_a_good_one() =>
        (await RunAsync(new Check("node-silent", _ => [])))[0].Findings.Should().Equal(Finding.Ok("nothing is wrong"));

    private static Task<IReadOnlyList<CheckResult>> RunAsync(params ICheck[] checks) => new Examination(TimeSpan.FromMinutes(1)).RunAsync(checks, default);

    private sealed class Check(string id, Func<CancellationToken, IEnumerable<Finding>> run) : ICheck
    {
        public string Id => id;

        public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            await Task.Yield();
            foreach (var finding in run(cancellation))
                yield return finding;
        }
    }
}
