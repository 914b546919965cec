using System.Globalization;
using System.Text;
using Danm.Cni;
using Danm.Cni.Plugins;

namespace Danm.Tests.Cni.Plugins;

public sealed class PluginProcessTests
{
    private static readonly Dictionary<string, string> OfContainer = new()
    {
        ["CNI_COMMAND"] = "ADD", ["CNI_CONTAINERID"] = "c1", ["CNI_IFNAME"] = "eth0", ["PATH"] = "/usr/bin:/bin",
    };

    private static readonly Dictionary<string, string> OfNoContainer = new() { ["CNI_COMMAND"] = "STATUS", ["PATH"] = "/usr/bin:/bin" };

    private ScriptFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new ScriptFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("cat", 0, "in", "")]
    [TestCase("cat >&2; echo out; exit 3", 3, "out\n", "in")]
    [TestCase("exit 255", 255, "", "")]
    [TestCase("kill -TERM $$", -15, "", "")]
    [TestCase("kill -SEGV $$", -11, "", "")]
    [TestCase("exec 1>&- 2>&-; exit 4", 4, "", "")]
    [TestCase("head -c 3 >&2", 0, "", "in")]
    public async Task Output_and_exit_are_what_the_plugin_made_them(string script, int exit, string stdout, string stderr)
    {
        var output = await RunAsync(script, "in");

        (output.ExitCode, Encoding.UTF8.GetString(output.Stdout.Span), output.Stderr).Should().Be((exit, stdout, stderr));
    }

    [Test]
    public async Task It_starts_with_nothing_of_ours_but_what_it_is_given()
    {
        using var end = new CancellationTokenSource();
        var beside = RunAsync("sleep 60", cancellation: end.Token, name: "beside");
        var output = await RunAsync("grep -E '^Sig(Blk|Ign)' /proc/self/status; readlink /proc/$$/fd/*; ps -o pgid= -p $$ | grep -qx \" *$$\" && echo leader; env");
        await end.CancelAsync();
        await FluentActions.Awaiting(() => beside).Should().ThrowAsync<OperationCanceledException>();

        var lines = Encoding.UTF8.GetString(output.Stdout.Span).Split('\n');
        // 32 and 33 are libc's own: it neither blocks nor resets them for anybody.
        lines.Where(l => l.StartsWith("Sig", StringComparison.Ordinal)).Select(l => ulong.Parse(l.Split('\t')[1], NumberStyles.HexNumber) & ~0x1_8000_0000UL).Should().Equal(0, 0);
        lines.Should().ContainSingle(l => l.Contains("memfd:"), "another plugin's input is not its own");
        lines.Should().Contain("leader", "it leads a process group");
        lines.Where(l => l.Contains('=')).Select(l => l.Split('=')[0]).Except(["PWD", "OLDPWD", "_", "SHLVL"])
            .Should().HaveCount(OfContainer.Count + 1, "one more tells what it leaves behind").And.Contain(OfContainer.Keys);
    }

    [Test]
    public async Task A_plugin_need_not_read_what_it_is_given() =>
        (await RunAsync("exit 0", new string('x', CniJsonReader.MaxBytes))).ExitCode.Should().Be(0);

    [Test]
    public async Task All_of_a_large_input_and_output_arrives()
    {
        var text = string.Concat(Enumerable.Range(0, CniJsonReader.MaxBytes / 8).Select(i => i.ToString("x8", CultureInfo.InvariantCulture)));

        var output = await RunAsync("cat", text);

        Encoding.UTF8.GetString(output.Stdout.Span).Should().Be(text);
    }

    [TestCase("head -c 1000000000 /dev/zero")]
    [TestCase("yes")]
    [TestCase("yes & wait")]
    public async Task Endless_output_ends_the_plugin(string script)
    {
        var failure = await FluentActions.Awaiting(() => RunAsync(script)).Should().ThrowAsync<PluginOutputException>();

        failure.WithMessage($"wrote more than {CniJsonReader.MaxBytes} bytes");
    }

    [Test]
    public async Task Of_endless_errors_the_start_is_kept()
    {
        var output = await RunAsync("echo first >&2; head -c 50000000 /dev/zero | tr '\\0' x >&2; echo '{}'");

        output.Stderr.Should().StartWith("first\nxxx").And.HaveLength(64 << 10);
        Encoding.UTF8.GetString(output.Stdout.Span).Should().Be("{}\n");
    }

    private static readonly TestCaseData[] Families =
    [
        new TestCaseData("sleep $1", OfContainer).SetArgDisplayNames("itself"),
        new TestCaseData("sleep $1 & sleep $1 & wait", OfContainer).SetArgDisplayNames("its children"),
        new TestCaseData("(trap '' TERM HUP INT; sleep $1) & wait", OfContainer).SetArgDisplayNames("a child that ignores what can be ignored"),
        new TestCaseData("setsid sleep $1 & wait", OfContainer).SetArgDisplayNames("one that left the group"),
        new TestCaseData("setsid sh -c \"setsid sleep $1 & sleep $1\" & sleep $1", OfContainer).SetArgDisplayNames("grandchildren of one that left the group"),
        new TestCaseData("setsid sleep $1 & wait", OfNoContainer).SetArgDisplayNames("one that left the group of a call for no container"),
    ];

    [TestCaseSource(nameof(Families))]
    public async Task Cancelling_kills(string script, Dictionary<string, string> environment)
    {
        var duration = UniqueDuration();
        using var timeout = new CancellationTokenSource();
        var run = RunAsync(script.Replace("$1", duration), environment: environment, cancellation: timeout.Token);
        await UntilAsync(() => Sleepers(duration).Count >= script.Split("sleep").Length - 1);

        await timeout.CancelAsync();

        await FluentActions.Awaiting(() => run).Should().ThrowAsync<OperationCanceledException>();
        await UntilAsync(() => Sleepers(duration).Count == 0);
    }

    [Test]
    public async Task Killing_one_leaves_another_of_the_same_command_alone()
    {
        var (one, other) = (UniqueDuration(), UniqueDuration());
        using var timeout = new CancellationTokenSource();
        using var later = new CancellationTokenSource();
        var killed = RunAsync($"sleep {one}", environment: OfNoContainer, cancellation: timeout.Token);
        var left = RunAsync($"setsid sleep {other} & wait", environment: OfNoContainer, cancellation: later.Token, name: "other");
        await UntilAsync(() => Sleepers(one).Count == 1 && Sleepers(other).Count == 1);

        await timeout.CancelAsync();
        await FluentActions.Awaiting(() => killed).Should().ThrowAsync<OperationCanceledException>();

        Sleepers(other).Should().ContainSingle();
        left.IsCompleted.Should().BeFalse();
        await later.CancelAsync();
        await FluentActions.Awaiting(() => left).Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task A_call_that_was_cancelled_before_starts_nothing()
    {
        await FluentActions.Awaiting(() => RunAsync($"touch {folder.PathOf("ran")}", cancellation: new CancellationToken(canceled: true))).Should().ThrowAsync<OperationCanceledException>();

        File.Exists(folder.PathOf("ran")).Should().BeFalse();
    }

    [TestCase("sleep $1 &")]
    [TestCase("setsid sleep $1 &")]
    public async Task One_that_forks_and_lingers_is_an_error_and_its_child_ends(string script)
    {
        var duration = UniqueDuration();

        (await FluentActions.Awaiting(() => RunAsync(script.Replace("$1", duration))).Should().ThrowAsync<PluginOutputException>()).WithMessage("*kept its standard output open");

        await UntilAsync(() => Sleepers(duration).Count == 0);
    }

    [Test]
    public async Task A_daemon_that_lets_go_of_the_output_may_stay()
    {
        var duration = UniqueDuration();

        var output = await RunAsync($"setsid sleep {duration} </dev/null >/dev/null 2>&1 & echo '{{}}'");

        output.ExitCode.Should().Be(0);
        await UntilAsync(() => Sleepers(duration).Count == 1);
        using var process = System.Diagnostics.Process.GetProcessById(Sleepers(duration).Single());
        process.Kill();
    }

    [TestCase("missing", 2)]
    [TestCase(".", 13)]
    public async Task What_is_no_program_cannot_be_started(string name, int errno) =>
        (await FluentActions.Awaiting(() => PluginProcess.RunAsync(folder.PathOf(name), OfContainer, default, _ => { }, default)).Should().ThrowAsync<PluginStartException>()).Which.Errno.Should().Be(errno);

    [Test]
    public async Task Many_run_at_once()
    {
        var path = folder.Add("p", "cat");
        var outputs = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => PluginProcess.RunAsync(path, OfContainer, Encoding.UTF8.GetBytes($"{i}"), _ => { }, default)));

        outputs.Select(o => Encoding.UTF8.GetString(o.Stdout.Span)).Should().Equal(Enumerable.Range(0, 50).Select(i => $"{i}"));
    }

    private Task<PluginOutput> RunAsync(
        string script, string input = "", Dictionary<string, string>? environment = null, CancellationToken cancellation = default, string name = "p") =>
        PluginProcess.RunAsync(folder.Add(name, script), environment ?? OfContainer, Encoding.UTF8.GetBytes(input), _ => { }, cancellation);

    // Long enough for any test, and nobody else's.
    private static string UniqueDuration() => $"9{Random.Shared.Next(100_000_000, 999_999_999)}";

    private static List<int> Sleepers(string duration)
    {
        var found = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                if (File.ReadAllText($"{folder}/cmdline") == $"sleep\0{duration}\0")
                    found.Add(pid);
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return found;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            i.Should().BeLessThan(200, "it must come to be within ten seconds");
            await Task.Delay(50);
        }
    }
}
