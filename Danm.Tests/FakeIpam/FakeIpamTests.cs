using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary>The executable under its IPAM plugin's name, called as macvlan and the like call it.</summary>
public sealed class FakeIpamTests
{
    private const string Dual = """{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/24","version":4},{"ipcidr":"fd00::5/64","version":6}]}""";

    private static readonly string[] Versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

    private static readonly string[][] Programs = [[Path.Combine(DanmBinary.PluginFolder, "fakeipam")], [DanmBinary.Path, "fakeipam"]];

    [OneTimeSetUp]
    public void Require() => DanmBinary.Require();

    [Test]
    public async Task ADD_gives_the_addresses_in_every_version([ValueSource(nameof(Versions))] string version, [ValueSource(nameof(Programs))] string[] program)
    {
        var result = (await RunAsync(program, Call("ADD", version))).Succeeded().Json;

        ((string)result["cniVersion"]!).Should().Be(version);
        string[] addresses = version is "0.1.0" or "0.2.0"
            ? [(string)result["ip4"]!["ip"]!, (string)result["ip6"]!["ip"]!]
            : [.. result["ips"]!.AsArray().Select(i => (string)i!["address"]!)];
        addresses.Should().Equal("10.0.0.5/24", "fd00::5/64");
        if (version is "0.3.0" or "0.3.1" or "0.4.0")
            result["ips"]!.AsArray().Select(i => (string)i!["version"]!).Should().Equal("4", "6");
        result["interfaces"].Should().BeNull("an IPAM plugin makes none");
    }

    [Test]
    public async Task DEL_frees_nothing_and_needs_nothing([ValueSource(nameof(Versions))] string version, [Values(Dual, """{"type":"fakeipam"}""")] string ipam)
    {
        var outcome = await RunAsync(Programs[0], Call("DEL", version, ipam) with { Netns = null });

        outcome.Succeeded().Stdout.Should().BeEmpty();
    }

    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    [TestCase("1.1.0")]
    public async Task CHECK_compares_with_prevResult(string version)
    {
        var call = Call("CHECK", version);
        (await RunAsync(Programs[0], call)).Failed(7).Msg.Should().Contain("prevResult is missing");

        call.Config["prevResult"] = JsonNode.Parse($$"""{"cniVersion":"{{version}}","ips":[{"version":"4","address":"10.0.0.5/24"},{"version":"6","address":"fd00::5/64"}]}""");
        (await RunAsync(Programs[0], call)).Succeeded().Stdout.Should().BeEmpty();

        call.Config["prevResult"]!["ips"]![1]!["address"] = "fd00::6/64";
        (await RunAsync(Programs[0], call)).Failed(110).Msg.Should().Contain("fd00::5/64");
    }

    [TestCase("CHECK", "0.3.1")]
    [TestCase("GC", "1.0.0")]
    [TestCase("STATUS", "1.0.0")]
    public async Task A_command_that_its_version_has_not_is_refused(string command, string version) =>
        (await RunAsync(Programs[0], Call(command, version))).Failed(1).Msg.Should().Contain(version).And.Contain(command);

    [TestCase("GC")]
    [TestCase("STATUS")]
    public async Task GC_and_STATUS_have_nothing_to_complain_of(string command)
    {
        var call = new CniCall(command) { IfName = null, Config = Call(command, "1.1.0").Config };
        call.Config["cni.dev/valid-attachments"] = new JsonArray();

        (await RunAsync(Programs[0], call)).Succeeded().Stdout.Should().BeEmpty();
    }

    [Test]
    public async Task VERSION_tells_all_of_them([ValueSource(nameof(Programs))] string[] program)
    {
        var outcome = await RunAsync(program, new CniCall("VERSION") { IfName = null, Stdin = """{"cniVersion":"0.4.0"}""" });

        outcome.Succeeded().Json["supportedVersions"]!.AsArray().Select(v => (string)v!).Should().Equal(Versions);
        ((string)outcome.Json["cniVersion"]!).Should().Be("0.4.0");
    }

    [TestCase("""{"type":"fakeipam"}""", 7, "ipam.ips has no addresses")]
    [TestCase("""{"type":"fakeipam","ips":[]}""", 7, "ipam.ips has no addresses")]
    [TestCase("""{"type":"fakeipam","ips":null}""", 7, "ipam.ips has no addresses")]
    [TestCase("""null""", 7, "ipam.ips has no addresses")]
    [TestCase("""{"type":"fakeipam","ips":[{}]}""", 7, "ipcidr is missing")]
    [TestCase("""{"type":"fakeipam","ips":[null]}""", 7, "ipam.ips 'null'")]
    [TestCase("""{"type":"fakeipam","ips":["10.0.0.5/24"]}""", 7, "'10.0.0.5/24'")]
    [TestCase("""{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5"}]}""", 7, "'10.0.0.5'")]
    [TestCase("""{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/33"}]}""", 7, "'10.0.0.5/33'")]
    [TestCase("""{"type":"fakeipam","ips":[{"ipcidr":"\u001b[31m"}]}""", 7, "\\u001b")]
    [TestCase("""{"type":"fakeipam","ips":{}}""", 7, "ipam.ips is an object")]
    [TestCase("""[]""", 7, "ipam is a list")]
    public async Task Without_addresses_ADD_says_what_is_missing(string ipam, int code, string says)
    {
        var outcome = await RunAsync(Programs[0], Call("ADD", "1.0.0", ipam));

        outcome.Failed(code).Msg.Should().Contain(says);
        outcome.Stdout.Should().NotContain("\u001b");
    }

    [Test]
    public async Task Another_plugins_configuration_may_mean_something_else_by_our_keys()
    {
        var call = Call("ADD", "1.0.0");
        foreach (var (name, value) in JsonNode.Parse("""
            {"logLevel":3,"logFile":{"path":"x"},"timeoutSeconds":"never","kubeconfig":true,"cniDir":7,"nodeName":["n"],"parallel":false,"vxlanFlooding":1,"namingScheme":0,
             "mode":"bridge","x":[1e400,{"deep":[[[]]]}]}
            """)!.AsObject().ToList())
        {
            call.Config[name] = value!.DeepClone();
        }

        (await RunAsync(Programs[0], call)).Succeeded().Json["ips"]!.AsArray().Should().HaveCount(2);
    }

    private static Task<CniOutcome> RunAsync(string[] program, CniCall call) => call.RunAsync(program);

    private static CniCall Call(string command, string version, string ipam = Dual) => new(command)
    {
        ContainerId = "c1",
        Netns = "/run/netns/nobody-enters-it",
        Config = new JsonObject { ["cniVersion"] = version, ["name"] = "mv", ["type"] = "macvlan", ["master"] = "ens4", ["ipam"] = JsonNode.Parse(ipam) },
    };
}
