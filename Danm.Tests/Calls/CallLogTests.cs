using System.Text.RegularExpressions;
using Danm.Calls;
using Danm.Cni;

namespace Danm.Tests.Calls;

public sealed partial class CallLogTests
{
    private string folder = "";

    private string LogFile => Path.Combine(folder, "danm.log");

    [SetUp]
    public void SetUp() => folder = Directory.CreateTempSubdirectory("danm-log-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_fact_is_one_line_of_keys_and_values()
    {
        new CallLog(Request()).Info("ADD done", ("interfaces", "eth0=10.0.0.5/24"), ("empty", ""), ("none", null));

        File.ReadAllText(LogFile).Should().MatchRegex(
            """^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info "ADD done" command="ADD" container="c1" pod="ns/amf-0" interfaces="eth0=10\.0\.0\.5/24" ms="\d+"\n\z""");
    }

    [Test]
    public void Only_its_owner_writes_it_and_nobody_else_reads_it()
    {
        new CallLog(Request()).Info("x");

        File.GetUnixFileMode(LogFile).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    [TestCase("a\nb", "a\\\\u000ab")]
    [TestCase("a\r\u001b[31mb", "a\\\\u000d\\\\u001b[31mb")]
    [TestCase("a\"b", "a\\\"b")]
    [TestCase("a\\b", "a\\\\b")]
    [TestCase("a\\\" forged=\"b", "a\\\\\\\" forged=\\\"b")]
    [TestCase("\u2028\u202e", "\\\\u2028\\\\u202e")]
    [TestCase("grün 🌍", "grün 🌍")]
    public void Foreign_text_makes_neither_line_nor_key_nor_terminal_code(string text, string written)
    {
        new CallLog(Request()).Warning(text, ("cause", text));

        var line = File.ReadAllLines(LogFile).Should().ContainSingle().Subject;
        line.Should().Contain($" warning \"{written}\" command").And.Contain($" cause=\"{written}\" ms=");
        KeysOf().Matches(line).Select(m => m.Groups[1].Value).Should().Equal("command", "container", "pod", "cause", "ms");
    }

    [Test]
    public void Half_a_character_is_spelled_out()
    {
        new CallLog(Request()).Info("a\ud800b");

        File.ReadAllText(LogFile).Should().Contain("info \"a\\\\ud800b\" command");
    }

    [Test]
    public void A_text_of_any_length_is_cut()
    {
        new CallLog(Request()).Error("m", ("cause", new string('x', 1 << 20)));

        new FileInfo(LogFile).Length.Should().BeLessThan(3000);
        File.ReadAllText(LogFile).Should().Contain("xxx…\" ms=");
    }

    [TestCase(NetConfLogLevel.Debug, "info warning error")]
    [TestCase(NetConfLogLevel.Info, "info warning error")]
    [TestCase(NetConfLogLevel.Warning, "warning error")]
    [TestCase(NetConfLogLevel.Error, "error")]
    [TestCase(NetConfLogLevel.None, "")]
    public void The_level_decides(NetConfLogLevel level, string written)
    {
        var log = new CallLog(Request(level));
        log.Info("m");
        log.Warning("m");
        log.Error("m");

        var lines = File.Exists(LogFile) ? File.ReadAllLines(LogFile) : [];
        lines.Select(l => l.Split(' ')[1]).Should().Equal(written.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Test]
    public async Task Lines_of_calls_at_once_never_mix()
    {
        var text = new string('x', 1500);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
                new CallLog(Request()).Info("m", ("text", text));
        })));

        var lines = await File.ReadAllLinesAsync(LogFile);
        lines.Should().HaveCount(400).And.OnlyContain(l => l.Contains($" text=\"{text}\" ms=\""));
    }

    // What cannot be logged is no reason to fail an ADD.
    [Test]
    public void A_file_that_cannot_be_written_is_no_failure()
    {
        Directory.CreateDirectory(LogFile);

        new CallLog(Request()).Invoking(l => l.Info("m")).Should().NotThrow();
    }

    private CniRequest Request(NetConfLogLevel level = NetConfLogLevel.Info) => new()
    {
        Command = CniCommand.Add,
        ContainerId = "c1",
        Args = new CniArgs { PodNamespace = "ns", PodName = "amf-0" },
        Config = new NetConf { Name = "danm", LogFile = LogFile, LogLevel = level },
    };

    // A key is what stands before a quoted value; inside a value every quote is escaped.
    [GeneratedRegex("""(\w+)="(?:[^"\\]|\\.)*"(?= |$)""")]
    private static partial Regex KeysOf();
}
