using System.Runtime.CompilerServices;
using Danm.Doctor;

namespace Danm.Tests.Doctor;

/// <summary>A check that finds much must not hide the worst of it: the exit code goes by what is kept.</summary>
[TestFixture, Parallelizable]
public sealed class FindingLimitTests
{
    [Test]
    public async Task Of_too_many_findings_the_worst_are_kept_and_the_others_counted()
    {
        var findings = await FindingsOf(
            Enumerable.Range(0, 30).Select(i => Finding.Warning($"w{i}", "a")).Append(Finding.Failed("the one that counts", "b")).Append(Finding.Ok("fine")));

        findings.Should().HaveCount(21);
        findings.Should().ContainSingle(f => f.Status == CheckStatus.Failed).Which.Found.Should().Be("the one that counts");
        findings[^1].Should().Be(Finding.Warning("and 12 more", "mend these first, then run it again"));
    }

    [Test]
    public async Task Failures_that_are_left_out_count_as_failures()
    {
        var findings = await FindingsOf(Enumerable.Range(0, 25).Select(i => Finding.Failed($"f{i}", "a")));

        findings.Should().OnlyContain(f => f.Status == CheckStatus.Failed).And.HaveCount(21);
        findings[^1].Found.Should().Be("and 5 more");
    }

    private static async Task<IReadOnlyList<Finding>> FindingsOf(IEnumerable<Finding> findings) =>
        (await new Examination(TimeSpan.FromMinutes(1)).RunAsync([new Scripted(findings)], CancellationToken.None)).Single().Findings;

    private sealed class Scripted(IEnumerable<Finding> findings) : ICheck
    {
        public string Id => "node-scripted";

        public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            await Task.Yield();
            foreach (var finding in findings)
                yield return finding;
        }
    }
}
