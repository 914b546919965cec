using Danm.Cni;
using static Danm.Tests.Cni.TestPlugin;

namespace Danm.Tests.Cni;

public class CniMainTests
{
    private const string Config = """{"cniVersion":"1.1.0","name":"net","type":"danm"}""";

    [TestCase("ADD", CniCommand.Add)]
    [TestCase("DEL", CniCommand.Del)]
    [TestCase("CHECK", CniCommand.Check)]
    [TestCase("GC", CniCommand.Gc)]
    [TestCase("STATUS", CniCommand.Status)]
    public void Calls_the_plugin_for_each_command(string text, CniCommand command)
    {
        var plugin = new TestPlugin();

        var answer = plugin.Run(Environment(text), Config);

        answer.ExitCode.Should().Be(0);
        plugin.Request!.Command.Should().Be(command);
        answer.Output.Should().Be(command == CniCommand.Add ? "{\"cniVersion\":\"1.1.0\"}\n" : "");
        answer.Log.Should().BeEmpty();
    }

    [Test]
    public void Hands_over_variables_and_configuration()
    {
        var plugin = new TestPlugin();

        plugin.Run(Environment("ADD", ("CNI_PATH", "/opt/cni/bin:/usr/lib/cni"), ("CNI_ARGS", "K8S_POD_NAME=pod-0")), Config);

        var request = plugin.Request!;
        request.ContainerId.Should().Be("c0ffee");
        request.Netns.Should().Be("/run/netns/a");
        request.IfName.Should().Be("eth0");
        request.Path.Should().Equal("/opt/cni/bin", "/usr/lib/cni");
        request.Args.PodName.Should().Be("pod-0");
        request.Config.Name.Should().Be("net");
    }

    [TestCase("ADD", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME")]
    [TestCase("CHECK", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME")]
    [TestCase("DEL", "CNI_CONTAINERID", "CNI_IFNAME")]
    [TestCase("GC", "CNI_PATH")]
    public void Names_all_missing_variables_at_once(string command, params string[] required)
    {
        var answer = new TestPlugin().Run(new Dictionary<string, string> { ["CNI_COMMAND"] = command, ["CNI_NETNS"] = "" }, Config);

        answer.ExitCode.Should().Be(1);
        answer.Code.Should().Be(4);
        answer.Msg.Should().Be($"required variables are missing: {string.Join(", ", required)}");
    }

    [Test]
    public void Needs_no_variable_for_status()
    {
        new TestPlugin().Run(new Dictionary<string, string> { ["CNI_COMMAND"] = "STATUS" }, Config).ExitCode.Should().Be(0);
    }

    [Test]
    public void Del_needs_no_namespace_and_overlooks_malformed_arguments()
    {
        var plugin = new TestPlugin();

        var answer = plugin.Run(Environment("DEL", ("CNI_NETNS", null), ("CNI_ARGS", "K8S_POD_NAME=../x;K8S_POD_NAMESPACE=ns;junk")), Config);

        answer.ExitCode.Should().Be(0);
        plugin.Request!.Netns.Should().BeNull();
        plugin.Request.Args.Should().Be(new CniArgs { PodNamespace = "ns" });
    }

    [TestCase("CNI_COMMAND", "add", "CNI_COMMAND 'add' is unknown")]
    [TestCase("CNI_COMMAND", "", "CNI_COMMAND is missing")]
    [TestCase("CNI_CONTAINERID", "../../etc", "CNI_CONTAINERID '../../etc' is not a container id*")]
    [TestCase("CNI_CONTAINERID", "-c", "CNI_CONTAINERID '-c' is not*")]
    [TestCase("CNI_CONTAINERID", "c\u001b[2J", "CNI_CONTAINERID 'c\\u001b[[]2J' is not*")]
    [TestCase("CNI_IFNAME", "sixteen-letters-", "CNI_IFNAME 'sixteen-letters-' is not an interface name*")]
    [TestCase("CNI_IFNAME", "ätherätheräte", "CNI_IFNAME 'ätherätheräte' is not an interface name*")]
    [TestCase("CNI_IFNAME", "a/b", "CNI_IFNAME 'a/b' is not*")]
    [TestCase("CNI_IFNAME", "a:b", "CNI_IFNAME 'a:b' is not*")]
    [TestCase("CNI_IFNAME", "a b", "CNI_IFNAME 'a b' is not*")]
    [TestCase("CNI_IFNAME", ".", "CNI_IFNAME '.' is not*")]
    [TestCase("CNI_IFNAME", "..", "CNI_IFNAME '..' is not*")]
    [TestCase("CNI_NETNS", "run/netns/a", "CNI_NETNS 'run/netns/a' is not an absolute path")]
    [TestCase("CNI_ARGS", "K8S_POD_NAME", "CNI_ARGS: 'K8S_POD_NAME' is not of the form KEY=value")]
    [TestCase("CNI_ARGS", "=x", "CNI_ARGS: '=x' is not of the form KEY=value")]
    [TestCase("CNI_ARGS", "K8S_POD_NAME=a/b", "CNI_ARGS: K8S_POD_NAME 'a/b' is not a DNS-1123 subdomain")]
    [TestCase("CNI_ARGS", "K8S_POD_UID=a_b", "CNI_ARGS: K8S_POD_UID 'a_b' is not a UID")]
    public void Refuses_a_malformed_variable(string name, string value, string msg)
    {
        var plugin = new TestPlugin();

        var answer = plugin.Run(Environment("ADD", (name, value)), Config);

        answer.ExitCode.Should().Be(1);
        answer.Code.Should().Be(4);
        answer.Msg.Should().Match(msg.Replace("[[]", "["));
        plugin.Request.Should().BeNull();
    }

    [TestCase("", "the network configuration is empty")]
    [TestCase("{", "the network configuration is not valid JSON at line 1, byte 2")]
    [TestCase("{}}", "the network configuration is not valid JSON at line 1, byte 3")]
    [TestCase("[]", "the network configuration is not a JSON object")]
    [TestCase("\"x\"", "the network configuration is not a JSON object")]
    [TestCase("{\n\"name\":\"n\",\n\"x\":nul}", "the network configuration is not valid JSON at line 3, byte 8")]
    [TestCase("{\"name\":\"\\ud800\"}", "the network configuration has half a UTF-16 surrogate pair in name")]
    public void Refuses_what_is_not_a_JSON_object(string config, string msg)
    {
        var answer = new TestPlugin().Run(Environment("ADD"), config);

        answer.Code.Should().Be(6);
        answer.Msg.Should().Be(msg);
    }

    [Test]
    public void Refuses_bytes_that_are_not_UTF_8()
    {
        var answer = new TestPlugin().Run(Environment("ADD"), [.. "{\"name\":\""u8, 0xff, 0xfe, .. "\"}"u8]);

        answer.Code.Should().Be(6);
        answer.Msg.Should().Be("the network configuration is not UTF-8 text");
    }

    [Test]
    public void Refuses_ten_thousand_levels()
    {
        var answer = new TestPlugin().Run(Environment("ADD"), "{\"name\":\"n\",\"x\":" + new string('[', 10_000) + new string(']', 10_000) + "}");

        answer.Code.Should().Be(6);
        answer.Details.Should().Contain("64");
    }

    [Test]
    public void Takes_64_levels()
    {
        new TestPlugin().Run(Environment("ADD"), "{\"name\":\"n\",\"x\":" + new string('[', 63) + new string(']', 63) + "}").ExitCode.Should().Be(0);
    }

    [Test]
    public void Stops_reading_endless_input_after_one_mebibyte()
    {
        using var endless = new EndlessStream();

        var answer = new TestPlugin().Run(Environment("ADD"), endless);

        answer.Code.Should().Be(6);
        answer.Msg.Should().Be("the network configuration is longer than 1048576 bytes");
        endless.BytesRead.Should().Be(1048577);
    }

    [TestCase("ADD", """{"cniVersion":"2.0.0","name":"n"}""", "cniVersion '2.0.0' is not supported")]
    [TestCase("ADD", """{"cniVersion":"v1.0.0","name":"n"}""", "cniVersion 'v1.0.0' is not supported")]
    [TestCase("STATUS", """{"cniVersion":"1.2.0","name":"n","timeoutSeconds":"new"}""", "cniVersion '1.2.0' is not supported")]
    public void Refuses_an_unsupported_version(string command, string config, string msg)
    {
        var answer = new TestPlugin().Run(Environment(command), config);

        answer.Code.Should().Be(1);
        answer.Msg.Should().EndWith(msg);
        answer.Details.Should().Be("supported versions: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0");
    }

    [TestCase("CHECK", "0.3.1", "the configuration's cniVersion 0.3.1 has no CHECK, which came with 0.4.0")]
    [TestCase("GC", "1.0.0", "the configuration's cniVersion 1.0.0 has no GC, which came with 1.1.0")]
    [TestCase("STATUS", "0.4.0", "the configuration's cniVersion 0.4.0 has no STATUS, which came with 1.1.0")]
    public void Refuses_a_command_that_the_version_does_not_have(string command, string version, string msg)
    {
        var answer = new TestPlugin().Run(Environment(command), $$"""{"cniVersion":"{{version}}","name":"n"}""");

        answer.Code.Should().Be(1);
        answer.Msg.Should().Be(msg);
        answer.Json.GetProperty("cniVersion").GetString().Should().Be(version);
    }

    [TestCase("", "1.1.0")]
    [TestCase("not JSON", "1.1.0")]
    [TestCase("""{"cniVersion":"0.3.1"}""", "0.3.1")]
    [TestCase("""{"cniVersion":"0.4.0","name":"n"}""", "0.4.0")]
    [TestCase("""{"cniVersion":"7.0.0"}""", "1.1.0")]
    public void Answers_VERSION_without_a_plugin(string config, string version)
    {
        using var output = new MemoryStream();

        var exitCode = CniMain.Run(
            () => throw new InvalidOperationException("VERSION made a plugin"),
            name => name == "CNI_COMMAND" ? "VERSION" : null,
            new MemoryStream(System.Text.Encoding.UTF8.GetBytes(config)),
            output,
            Stream.Null);

        exitCode.Should().Be(0);
        System.Text.Encoding.UTF8.GetString(output.ToArray()).Should().Be(
            $$"""{"cniVersion":"{{version}}","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}""" + "\n");
    }

    [Test]
    public void Writes_the_plugins_error_in_the_configurations_version()
    {
        var plugin = new TestPlugin { Answer = _ => throw new CniException(104, "network 'x':\npool is \"full\"\t\u001b[31m", "more") };

        var answer = plugin.Run(Environment("ADD"), """{"cniVersion":"0.3.1","name":"net"}""");

        answer.ExitCode.Should().Be(1);
        answer.Output.Should().Be("""{"cniVersion":"0.3.1","code":104,"msg":"network 'x':\npool is \"full\"\\u0009\\u001b[31m","details":"more"}""" + "\n");
    }

    [Test]
    public void Cuts_a_message_that_never_ends()
    {
        var plugin = new TestPlugin { Answer = _ => throw new CniException(100, new string('x', 1_000_000), new string('y', 1_000_000)) };

        var answer = plugin.Run(Environment("ADD"), Config);

        answer.Msg.Should().HaveLength(4097).And.EndWith("x…");
        answer.Details.Should().HaveLength(16385).And.EndWith("y…");
    }

    [Test]
    public void Keeps_stack_traces_off_standard_output()
    {
        var plugin = new TestPlugin { Answer = _ => throw new InvalidOperationException("a bug") };

        var answer = plugin.Run(Environment("ADD"), Config);

        answer.ExitCode.Should().Be(1);
        answer.Code.Should().Be(999);
        answer.Msg.Should().Be("internal error: InvalidOperationException: a bug");
        answer.Details.Should().BeNull();
        answer.Log.Should().Contain("InvalidOperationException: a bug").And.Contain("   at ");
    }

    [Test]
    public void Asks_for_another_try_when_the_time_is_up()
    {
        var plugin = new TestPlugin
        {
            Answer = async token =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return new CniResult();
            },
        };

        var answer = plugin.Run(Environment("DEL"), """{"cniVersion":"1.0.0","name":"net","timeoutSeconds":1}""");

        answer.Code.Should().Be(11);
        answer.Msg.Should().Be("DEL for network 'net' did not end within 1 s (timeoutSeconds)");
    }

    [Test]
    public void Survives_a_closed_output()
    {
        using var closed = new BrokenStream();

        CniMain.Run(() => new TestPlugin(), Environment("ADD").GetValueOrDefault, new MemoryStream("{\"name\":\"n\"}"u8.ToArray()), closed, closed).Should().Be(1);
        CniMain.Run(() => new TestPlugin(), Environment("NONE").GetValueOrDefault, Stream.Null, closed, closed).Should().Be(1);
    }

    [Test]
    public void Reports_an_input_that_cannot_be_read()
    {
        using var closed = new BrokenStream();

        var answer = new TestPlugin().Run(Environment("ADD"), closed);

        answer.Code.Should().Be(5);
        answer.Msg.Should().Contain("Broken pipe");
    }

    private sealed class EndlessStream : MemoryStream
    {
        public int BytesRead { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)' ');
            BytesRead += buffer.Length;
            return buffer.Length;
        }
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw new IOException("Broken pipe");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("Broken pipe");
    }
}
