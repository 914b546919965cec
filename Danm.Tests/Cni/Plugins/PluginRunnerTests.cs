using System.Text;
using Danm.Cni.Plugins;

namespace Danm.Tests.Cni.Plugins;

public sealed class PluginRunnerTests
{
    private static readonly Dictionary<string, string> Inherited = new()
    {
        ["CNI_COMMAND"] = "ADD",
        ["CNI_CONTAINERID"] = "runtimes",
        ["CNI_NETNS"] = "/run/netns/runtimes",
        ["CNI_IFNAME"] = "eth9",
        ["CNI_ARGS"] = "K8S_POD_NAME=amf-0",
        ["CNI_PATH"] = "/opt/cni/bin",
        ["PATH"] = "/usr/bin:/bin",
        ["HTTP_PROXY"] = "http://proxy",
    };

    private readonly List<string> logged = [];
    private ScriptFolder folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        logged.Clear();
        folder = new ScriptFolder();
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void The_first_folder_that_has_it_wins()
    {
        using var second = new ScriptFolder();
        second.Add("bridge", "exit 0");
        var both = folder.Add("ptp", "exit 0");
        second.Add("ptp", "exit 1");
        Directory.CreateDirectory(folder.PathOf("bridge"));
        var runner = Runner("/nowhere", folder.Path, second.Path);

        runner.Find("ptp").Should().Be(both);
        runner.Find("bridge").Should().Be(second.PathOf("bridge"), "a folder is no program");
        runner.Find("macvlan").Should().BeNull();
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("../sh")]
    [TestCase("a/sh")]
    [TestCase("/bin/sh")]
    [TestCase("sh\0")]
    [TestCase("sh ")]
    [TestCase("-sh")]
    [TestCase(".sh")]
    [TestCase("s..h")]
    [TestCase("sh\n")]
    public void A_name_that_is_none_finds_nothing(string name)
    {
        Directory.CreateDirectory(folder.PathOf("a"));
        foreach (var file in (string[])["sh", "sh ", "-sh", ".sh", "s..h", "sh\n", "a/sh"])
            folder.Add(file, "exit 0");

        Runner($"{folder.Path}/a", folder.Path).Find(name).Should().BeNull();
    }

    [Test]
    public void A_name_may_not_be_endless() => Runner(folder.Path).Find(new string('a', 5000)).Should().BeNull();

    [Test]
    public void A_folder_that_depends_on_where_we_stand_is_passed_over()
    {
        folder.Add("ptp", "exit 0");

        Runner("", ".", Path.GetRelativePath(Environment.CurrentDirectory, folder.Path)).Find("ptp").Should().BeNull();
    }

    [Test]
    public async Task A_missing_plugin_is_named_with_where_it_was_looked_for()
    {
        var failure = (await FluentActions.Awaiting(() => CallAsync("macvlan", new PluginCall("ADD", "c1", "eth0"))).Should().ThrowAsync<PluginException>()).Which;

        failure.IsMissing.Should().BeTrue();
        failure.Message.Should().Contain("'macvlan' ADD").And.Contain(folder.Path).And.Contain("install it");
    }

    private static readonly TestCaseData[] Calls =
    [
        Row("an ADD", new PluginCall("ADD", "c1", "net1", "/run/netns/x"), "ADD", "c1", "net1", "/run/netns/x", "K8S_POD_NAME=amf-0"),
        Row("a DEL without a namespace", new PluginCall("DEL", "c1", "net1"), "DEL", "c1", "net1", null, "K8S_POD_NAME=amf-0"),
        Row("a DEL for another call's container", new PluginCall("DEL", "c1", "net1", null, "K8S_POD_NAME=old"), "DEL", "c1", "net1", null, "K8S_POD_NAME=old"),
        Row("a DEL for one of which nothing else is known", new PluginCall("DEL", "c1", "net1", "", ""), "DEL", "c1", "net1", null, null),
        Row("a GC", new PluginCall("GC"), "GC", null, null, null, null),
        Row("a STATUS", new PluginCall("STATUS"), "STATUS", null, null, null, null),
    ];

    [TestCaseSource(nameof(Calls))]
    public async Task Each_call_has_its_own_environment_on_top_of_the_runtimes(PluginCall call, string?[] variables)
    {
        folder.Add("p", "env");

        var environment = (await CallAsync("p", call)).Split('\n').Where(l => l.Contains('=')).Select(l => l.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);

        foreach (var (name, value) in ((string[])["CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_ARGS"]).Zip(variables))
            environment.GetValueOrDefault(name).Should().Be(value, name);
        environment["CNI_PATH"].Should().Be("/opt/cni/bin");
        environment["HTTP_PROXY"].Should().Be("http://proxy");
    }

    [Test]
    public async Task Configuration_goes_in_and_the_answer_comes_out()
    {
        folder.Add("p", "echo careful >&2; cat; echo done");

        (await CallAsync("p", new PluginCall("ADD", "c1", "net1"), """{"type":"p"}""")).Should().Be("{\"type\":\"p\"}done\n");

        logged.Should().Equal("p ADD: careful\n");
    }

    [Test]
    public async Task What_a_plugin_wrote_before_it_was_killed_is_logged_too()
    {
        folder.Add("p", "echo waiting for the lock >&2; exec sleep 60");
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(1));

        await FluentActions.Awaiting(() => CallAsync("p", new PluginCall("ADD", "c1", "net1"), cancellation: timeout.Token)).Should().ThrowAsync<OperationCanceledException>();

        logged.Should().Equal("p ADD: waiting for the lock\n");
    }

    [Test]
    public async Task An_error_object_is_the_failure_and_standard_error_is_logged_beside_it()
    {
        folder.Add("p", """echo '{"code":11,"msg":"busy","details":"lease"}'; echo trace >&2; exit 1""");

        var failure = (await FluentActions.Awaiting(() => CallAsync("p", new PluginCall("CHECK", "c1", "net1"))).Should().ThrowAsync<PluginException>()).Which;

        (failure.Code, failure.Details, failure.Message, failure.IsMissing).Should().Be((11, "lease", "plugin 'p' CHECK: busy", false));
        logged.Should().Equal("p CHECK: trace\n");
    }

    [TestCase("text", "Exec format error")]
    [TestCase("folderless", "Permission denied")]
    public async Task What_cannot_be_started_is_not_missing(string kind, string says)
    {
        var path = folder.Add("p", "exit 0");
        if (kind == "text")
            await File.WriteAllTextAsync(path, "just text");
        else
            File.SetUnixFileMode(path, UnixFileMode.UserRead);

        var failure = (await FluentActions.Awaiting(() => CallAsync("p", new PluginCall("ADD", "c1", "net1"))).Should().ThrowAsync<PluginException>()).Which;

        failure.IsMissing.Should().BeFalse();
        failure.Message.Should().Contain(path).And.Contain(says);
    }

    [Test]
    public async Task A_plugin_that_is_being_written_is_waited_for()
    {
        var path = folder.Add("p", "echo '{}'");
        var writer = new FileStream(path, FileMode.Open, FileAccess.Write);
        var call = CallAsync("p", new PluginCall("ADD", "c1", "net1"));
        await Task.Delay(150);
        call.IsCompleted.Should().BeFalse("the kernel refuses to run what somebody writes");

        await writer.DisposeAsync();

        (await call).Should().Be("{}\n");
    }

    [Test]
    public async Task But_not_longer_than_the_call_may_take()
    {
        var path = folder.Add("p", "echo '{}'");
        await using var writer = new FileStream(path, FileMode.Open, FileAccess.Write);
        using var timeout = new CancellationTokenSource(300);

        await FluentActions.Awaiting(() => CallAsync("p", new PluginCall("ADD", "c1", "net1"), cancellation: timeout.Token)).Should().ThrowAsync<OperationCanceledException>();
    }

    private PluginRunner Runner(params string[] path) => new(path, Inherited, run =>
    {
        if (run.Stderr.Length > 0)
            logged.Add($"{run.Plugin} {run.Call.Command}: {run.Stderr}");
    });

    private async Task<string> CallAsync(string plugin, PluginCall call, string config = "{}", CancellationToken cancellation = default) =>
        Encoding.UTF8.GetString((await Runner(folder.Path).CallAsync(plugin, call, Encoding.UTF8.GetBytes(config), cancellation)).Span);

    private static TestCaseData Row(string name, PluginCall call, params string?[] variables) => new TestCaseData(call, variables).SetArgDisplayNames(name);
}
