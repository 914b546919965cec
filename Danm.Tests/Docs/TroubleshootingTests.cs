using System.Reflection;
using System.Text.RegularExpressions;
using Danm.Cni;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Docs;

/// <summary>What Danm says when something is wrong has its place in docs/troubleshooting.md.</summary>
[Parallelizable(ParallelScope.All)]
public sealed partial class TroubleshootingTests
{
    private readonly Page page = new("docs/troubleshooting.md");

    private static IEnumerable<TestCaseData> Codes => typeof(CniErrorCode).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => new TestCaseData((int)f.GetRawConstantValue()!).SetArgDisplayNames(f.Name));

    [TestCaseSource(nameof(Codes))]
    public void Every_error_code_has_a_row(int code) => page.Text.Should().MatchRegex($@"(?m)^\| {code} \|");

    [Test]
    public void No_row_is_of_a_code_that_does_not_exist()
    {
        var codes = Codes.Select(c => (int)c.Arguments[0]!).ToHashSet();
        CodeRow().Matches(page.Text).Select(m => int.Parse(m.Groups[1].Value)).Should().BeSubsetOf(codes);
    }

    [Test]
    public void Every_reason_of_an_Event_is_one_of_the_code()
    {
        var events = page.Text[page.Text.IndexOf("\n## Events\n", StringComparison.Ordinal)..];
        var reasons = ReasonRow().Matches(events[..events.IndexOf("\n## ", 1, StringComparison.Ordinal)]).Select(m => m.Groups[1].Value).ToList();
        reasons.Should().HaveCountGreaterThan(10);
        var code = Code();
        reasons.Should().OnlyContain(r => code.Contains($"\"{r}\"", StringComparison.Ordinal));
    }

    // Quoted are the parts of a message that do not change; each is somewhere in the code.
    [Test]
    public void Every_message_that_is_quoted_is_one_of_the_code()
    {
        var code = Code();
        var quoted = Message().Matches(page.Text).SelectMany(m => m.Groups[1].Value.Split('…', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        quoted.Should().HaveCountGreaterThan(60);
        quoted.Where(q => !code.Contains(q.Replace("\"", "\\\""), StringComparison.Ordinal) && !code.Contains(q, StringComparison.Ordinal)).Should().BeEmpty();
    }

    private static string Code() => string.Join('\n', Directory.EnumerateFiles(Path.Combine(DanmBinary.Repository, "Danm"), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal)).Select(File.ReadAllText));

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex ReasonRow();

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex CodeRow();

    // A message is quoted as **`like this`**, an ellipsis where the code puts something in.
    [GeneratedRegex(@"\*\*`([^`]+)`\*\*")]
    private static partial Regex Message();
}
