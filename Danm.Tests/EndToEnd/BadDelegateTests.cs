namespace Danm.Tests.EndToEnd;

/// <summary>
/// Delegates that do what no plugin should. Each is an error that names plugin, network and fault, or a success where the interface is
/// good all the same; in the end nothing is left, and nothing that they wrote steers a terminal.
/// </summary>
[TestFixture]
public sealed class BadDelegateTests : ScriptedDelegateFixture
{
    private const string Forever = "86399.5";

    private static readonly Case[] Cases =
    [
        new("ends before it reads its input, with a result", $"{MakeInterface}; exit 0") { Code = 0, IsDeaf = true },
        new("ends before it reads its input, with a failure", "exit 1", "ended with 1 and no error object") { IsDeaf = true },
        new("leaves a child that holds its output", $"{MakeInterface}; sleep {Forever} & return 0", "kept its standard output open"),
        new("leaves a child that holds its errors only", $"sleep {Forever} >/run/calls/child & echo $! >/run/calls/pid; {MakeInterface}") { Code = 0, LeavesAChild = true },
        new("closes its output and goes on", $"{MakeInterface}; exec >&- 2>&-; sleep 0.5") { Code = 0 },
        new("writes a gigabyte", "head -c 1G /dev/zero", "wrote more than 1048576 bytes"),
        new("writes without end", "exec cat /dev/zero", "wrote more than 1048576 bytes"),
        new("leaves a child that has hidden and writes without end", $"{MakeInterface}; env -i setsid cat /dev/zero & return 0", "wrote more than 1048576 bytes"),
        new("writes a gigabyte of errors", $"head -c 1G /dev/zero >&2; {MakeInterface}") { Code = 0 },
        new("answers nothing", "true", "the result of plugin 'bad' is empty"),
        new("answers with no JSON", "echo no, thanks", "the result of plugin 'bad'", "JSON"),
        new("answers with half a result", """printf '{"cniVersion":"1.0.0","ips":[{"address":"10.9.'""", "the result of plugin 'bad'"),
        new("answers with two results", """printf '{"cniVersion":"1.0.0"} {"cniVersion":"1.0.0"}'""", "the result of plugin 'bad'"),
        new("answers with a list", "echo '[]'", "is not a JSON object"),
        new("answers with a text", "echo '\"ok\"'", "is not a JSON object"),
        new("answers with addresses that are none", """echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.300/24"}]}'""", "ips: address", "10.9.0.300/24"),
        new("answers with a number for an address", """echo '{"cniVersion":"1.0.0","ips":[{"address":5}]}'""", "ips: address"),
        new("answers with an object for a list", """echo '{"cniVersion":"1.0.0","ips":{}}'""", "ips"),
        new("answers with interfaces that are numbers", """echo '{"cniVersion":"1.0.0","interfaces":[1]}'""", "interfaces"),
        new("answers in a version that is none", """echo '{"cniVersion":"9.9.9"}'""", "cniVersion", "9.9.9"),
        new("answers ten thousand levels deep", """printf '{"cniVersion":"1.0.0","x":'; printf '[%.0s' {1..10000}; printf ']%.0s' {1..10000}; echo '}'""", "the result of plugin 'bad'"),
        new("answers with what is no UTF-8", """printf '{"cniVersion":"1.0.0","x":"\xff\xfe"}'""", "is not UTF-8 text"),
        new("answers with a NUL", """printf '{"cniVersion":"1.0.0","x":"\0"}'""", "the result of plugin 'bad'"),
        new("answers with terminal escapes for an address", """printf '{"cniVersion":"1.0.0","ips":[{"address":"\\u001b[2J10.9.0.5/24"}]}'""", @"\u001b[2J10.9.0.5/24"),
        new("names an interface that its result does not list", MakeInterface + """ | jq -c '.ips=[{"address":"10.9.0.5/24","interface":7}]'""") { Code = 0 },
        new("fails without an error object", "exit 3", "ended with 3 and no error object"),
        new("fails with 255", "exit 255", "ended with 255 and no error object"),
        new("fails with a result", $"{MakeInterface}; return 1", "ended with 1 and no error object"),
        new("fails with words in place of an error object", "echo '<html>Bad Gateway</html>'; exit 1", "ended with 1", "<html>Bad Gateway</html>"),
        new("fails with an error object that lacks its message", """echo '{"cniVersion":"1.0.0","code":7}'; exit 1""", "ended with 1"),
        new("fails with terminal escapes in its message", """printf '{"cniVersion":"1.0.0","code":7,"msg":"\\u001b]0;owned\\u0007\\u202e"}'; exit 1""", @"\u001b]0;owned\u0007\u202e"),
        new("fails with terminal escapes as they are", """printf '\033[31m{"code":7}\r\n\0'; exit 1""", @"\u001b[31m{""code"":7}"),
        new("fails with terminal escapes in its errors", """printf 'broken \033[31m\xff\0\n' >&2; exit 1""", @"broken \u001b[31m"),
        new("fails and asks for another try", """echo '{"cniVersion":"1.0.0","code":11,"msg":"not yet"}'; exit 1""", "not yet") { Code = 11 },
        new("is ended by a signal", "kill -SEGV $$; sleep 1", "was ended by signal 11"),
        new("kills itself after it has answered", $"{MakeInterface}; kill -KILL $$", "was ended by signal 9"),
        new("is missing", "", "'bad' ADD: there is no such program in CNI_PATH", "/usr/lib/cni") { Prepare = "rm /run/plugins/bad" },
        new("is a folder", "", "there is no such program in CNI_PATH") { Prepare = "rm /run/plugins/bad; mkdir /run/plugins/bad" },
        new("is not executable", "", "cannot start /run/plugins/bad: Permission denied") { Prepare = "chmod 644 /run/plugins/bad" },
        new("is no program", "", "cannot start /run/plugins/bad: Exec format error") { Prepare = "echo hello >/run/plugins/bad" },
        new("has no interpreter", "", "cannot start /run/plugins/bad: No such file or directory") { Prepare = "echo '#!/no/such/shell' >/run/plugins/bad" },
    ];

    [TestCaseSource(nameof(Rows))]
    public async Task A_delegate_that(Case row)
    {
        await DelegateAsync("bad", row.Add);
        if (row.IsDeaf)
            await ScriptAsync("bad", $"#!/bin/bash\nexec <&-\nif [ $CNI_COMMAND = ADD ]; then {row.Add}; fi\n{RemoveInterface}");
        // More than a pipe holds: whoever does not read it would keep a writer waiting.
        await Node.ShellAsync("""printf '{"cniVersion":"1.0.0","name":"bad","type":"bad","x-padding":"%0200000d"}' 0 >/run/cni/bad.conf""");
        await Node.ShellAsync(row.Prepare ?? "true");
        var pod = await PodAsync("""[{"network":"bad"}]""");

        var add = await AddAsync(pod);

        if (row.Code == 0)
            add.Succeeded().Json["interfaces"]![0]!["name"]!.ToString().Should().Be("eth0");
        else
            add.Failed(row.Code).Msg.Should().Contain("interface \"eth0\" on DanmNet/default/bad").And.ContainAll(row.Says);
        if (row.Code == 0)
            (await DelAsync(pod)).Succeeded();
        if (row.LeavesAChild)
            await Node.ShellAsync("kill $(cat /run/calls/pid)");
        await ExpectNoProcessAsync(Forever);
        await ExpectNothingLeftAsync(pod);
        foreach (var text in (ReadOnlySpan<string>)[add.Stdout, add.Stderr, await LogAsync()])
            text.Should().MatchRegex(@"\A[^\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]*\z");
    }

    [Test]
    public async Task A_delegate_that_an_installer_is_writing_is_waited_for()
    {
        await DelegateAsync("busy", MakeInterface);
        var pod = await PodAsync("""[{"network":"busy"}]""");
        var writer = Node.ShellAsync("exec 3>>/run/plugins/busy; touch /run/calls/writing; sleep 1");
        await Node.ShellAsync("until [ -e /run/calls/writing ]; do sleep 0.02; done; /run/plugins/busy 2>&1 | grep 'Text file busy'");

        (await AddAsync(pod)).Succeeded();

        await writer;
        (await DelAsync(pod)).Succeeded();
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task A_delegate_whose_interface_is_not_in_the_Pod_is_a_success_with_a_warning()
    {
        await FileAsync("ghost.conf", """{"cniVersion":"1.0.0","name":"ghost","type":"ghost"}""");
        await DelegateAsync("ghost", Answer);
        var pod = await PodAsync("""[{"network":"ghost"}]""");

        (await AddAsync(pod)).Succeeded().Json["interfaces"]!.AsArray().Should().ContainSingle().Which!["name"]!.ToString().Should().Be("eth0");

        const string Warning = "interface eth0 (DanmNet/default/ghost) is not in the Pod after its plugin succeeded";
        (await LogAsync()).Should().Contain(Warning);
        Node.Server.Store.List("v1", "Event").Should().ContainSingle(e => (string)e["involvedObject"]!["uid"]! == pod.Uid).Which["message"]!.ToString().Should().Contain(Warning);
        (await Node.CallAsync(Call(pod, "CHECK"))).Succeeded();
        (await DelAsync(pod)).Succeeded();
        await ExpectNothingLeftAsync(pod);
    }

    private static IEnumerable<TestCaseData> Rows() => Cases.Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    /// <param name="Name">What it does.</param>
    /// <param name="Add">The shell commands of its ADD.</param>
    /// <param name="Says">What the error's message holds.</param>
    public sealed record Case(string Name, string Add, params string[] Says)
    {
        /// <summary>The error's code; 0 for success.</summary>
        public int Code { get; init; } = 111;

        /// <summary>Whether it leaves its input alone.</summary>
        public bool IsDeaf { get; init; }

        /// <summary>Whether a child lives on, as a daemon that a plugin starts would.</summary>
        public bool LeavesAChild { get; init; }

        /// <summary>What happens to the plugin before it is called.</summary>
        public string? Prepare { get; init; }

        public override string ToString() => Name;
    }
}
