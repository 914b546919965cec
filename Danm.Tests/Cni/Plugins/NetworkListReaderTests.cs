using System.Text;
using Danm.Cni;
using Danm.Cni.Plugins;

namespace Danm.Tests.Cni.Plugins;

public sealed class NetworkListReaderTests
{
    [Test]
    public void A_single_configuration_is_a_chain_of_one()
    {
        const string Json = """{"cniVersion":"0.4.0","name":"br","type":"bridge","ipam":{"type":"host-local"},"capabilities":{"mac":true,"ips":false,"bandwidth":true}}""";

        var list = Read(Json);

        list.Name.Should().Be("br");
        list.Version.Should().Be(SpecVersion.V0_4_0);
        (list.DisableCheck, list.DisableGc).Should().Be((false, false));
        var plugin = list.Plugins.Should().ContainSingle().Subject;
        (plugin.Type, plugin.HasIpam).Should().Be(("bridge", true));
        plugin.Capabilities.Should().Equal("mac", "bandwidth");
        Text(plugin).Should().Be(Json);
    }

    [Test]
    public void A_list_keeps_the_text_of_each_plugin()
    {
        var list = Read("""
            {"name":"chain","cniVersion":"1.0.0","disableCheck":true,"disableGC":true,"x":[[]],
             "plugins":[ {"type":"ptp", "mtu":1.50} ,{"ipam":null,"type":"tuning","capabilities":null}]}
            """);

        (list.Name, list.DisableCheck, list.DisableGc).Should().Be(("chain", true, true));
        list.Plugins.Select(p => (p.Type, p.HasIpam)).Should().Equal(("ptp", false), ("tuning", false));
        list.Plugins.Select(Text).Should().Equal("""{"type":"ptp", "mtu":1.50}""", """{"ipam":null,"type":"tuning","capabilities":null}""");
    }

    // cniVersion and cniVersions of the file; what is spoken.
    [TestCase("", null)]
    [TestCase("\"cniVersion\":\"\",", null)]
    [TestCase("\"cniVersion\":\"0.2.0\",", "0.2.0")]
    [TestCase("\"cniVersion\":\"0.3.1\",\"cniVersions\":[\"0.4.0\",\"1.1.0\",\"1.0.0\"],", "1.1.0")]
    [TestCase("\"cniVersions\":[\"1.0.0\",\"9.0.0\"],", "1.0.0")]
    [TestCase("\"cniVersion\":\"9.0.0\",\"cniVersions\":[\"0.4.0\"],", "0.4.0")]
    public void The_newest_version_that_both_know_is_spoken(string members, string? version) =>
        Read($$"""{{{members}}"type":"bridge"}""").Version?.ToString().Should().Be(version);

    [TestCase("true", true)]
    [TestCase("\"true\"", true)]
    [TestCase("\"True\"", true)]
    [TestCase("false", false)]
    [TestCase("\"false\"", false)]
    [TestCase("null", false)]
    public void What_is_disabled_may_be_told_by_a_text(string value, bool disabled)
    {
        var list = Read($$"""{"type":"bridge","disableCheck":{{value}},"disableGC":{{value}}}""");

        (list.DisableCheck, list.DisableGc).Should().Be((disabled, disabled));
    }

    [TestCase("""{"type":"bridge","disableCheck":"yes"}""", CniErrorCode.InvalidNetworkConfig, "disableCheck 'yes'")]
    [TestCase("""{"type":"bridge","disableGC":1}""", CniErrorCode.InvalidNetworkConfig, "disableGC is '1'")]
    [TestCase("""{"type":"bridge","cniVersion":"9.0.0"}""", CniErrorCode.IncompatibleVersion, "'9.0.0'")]
    [TestCase("""{"type":"bridge","cniVersion":1}""", CniErrorCode.InvalidNetworkConfig, "cniVersion")]
    [TestCase("""{"name":"br"}""", CniErrorCode.InvalidNetworkConfig, "type is missing")]
    [TestCase("""{"type":"../../bin/sh"}""", CniErrorCode.InvalidNetworkConfig, "'../../bin/sh'")]
    [TestCase("""{"type":"a..b"}""", CniErrorCode.InvalidNetworkConfig, "'a..b'")]
    [TestCase("""{"type":"/bin/sh"}""", CniErrorCode.InvalidNetworkConfig, "'/bin/sh'")]
    [TestCase("""{"type":["bridge"]}""", CniErrorCode.InvalidNetworkConfig, "type is a list")]
    [TestCase("""{"type":"bridge","name":"a b"}""", CniErrorCode.InvalidNetworkConfig, "'a b'")]
    [TestCase("""{"type":"bridge","name":"\u001b[31m"}""", CniErrorCode.InvalidNetworkConfig, "\\u001b")]
    [TestCase("""{"type":"bridge","ipam":"host-local"}""", CniErrorCode.InvalidNetworkConfig, "ipam is 'host-local'")]
    [TestCase("""{"type":"bridge","capabilities":["mac"]}""", CniErrorCode.InvalidNetworkConfig, "capabilities is a list")]
    [TestCase("""{"type":"bridge","capabilities":{"mac":"yes"}}""", CniErrorCode.InvalidNetworkConfig, "'yes'")]
    [TestCase("""{"plugins":[]}""", CniErrorCode.InvalidNetworkConfig, "plugins is missing")]
    [TestCase("""{"plugins":{}}""", CniErrorCode.InvalidNetworkConfig, "plugins is an object")]
    [TestCase("""{"plugins":[{"type":"ptp"},{}]}""", CniErrorCode.InvalidNetworkConfig, "plugins[1]")]
    [TestCase("""{"plugins":[null]}""", CniErrorCode.DecodeFailure, "plugins[0]")]
    [TestCase("", CniErrorCode.DecodeFailure, "is empty")]
    [TestCase("[]", CniErrorCode.DecodeFailure, "not a JSON object")]
    [TestCase("""{"type":"bridge"}{}""", CniErrorCode.DecodeFailure, "not valid JSON")]
    [TestCase("""{"type":"bridge",""", CniErrorCode.DecodeFailure, "not valid JSON")]
    public void What_is_wrong_is_named_with_its_file(string json, int code, string says)
    {
        var error = FluentActions.Invoking(() => Read(json)).Should().Throw<CniException>().Which;

        error.Code.Should().Be(code);
        error.Msg.Should().Contain("/etc/cni/net.d/br.conf").And.Contain(says).And.NotContain("\u001b");
    }

    [Test]
    public void A_chain_has_an_end()
    {
        FluentActions.Invoking(() => Read(Chain(65))).Should().Throw<CniException>().WithMessage("*more than 64*");
        Read(Chain(64)).Plugins.Should().HaveCount(64);

        static string Chain(int length) => $$"""{"plugins":[{{string.Join(',', Enumerable.Repeat("""{"type":"tuning"}""", length))}}]}""";
    }

    private static NetworkList Read(string json) => NetworkListReader.Read(Encoding.UTF8.GetBytes(json), "/etc/cni/net.d/br.conf");

    private static string Text(PluginConf plugin) => Encoding.UTF8.GetString(plugin.Json.Span);
}
