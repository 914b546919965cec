using System.Text;
using System.Text.Json.Nodes;
using Danm.Cni;
using Danm.Cni.Plugins;

namespace Danm.Tests.Cni.Plugins;

public sealed class PluginConfWriterTests
{
    private const string Conf = """{"z":1.50,"cniVersion":"0.1.0","x-unknown":[1e400,-0,12345678901234567890123,{"b":1,"a":2}],"text":"\u00e9\/\ud83d\ude00\"","ipam":{"type":"dhcp"},"a":null}""";

    private static readonly TestCaseData[] Changes =
    [
        Row("nothing", Conf, Conf),
        Row("a member that is there, in its place", Conf, Conf.Replace("0.1.0", "1.0.0"), PluginConfWriter.Text("cniVersion", "1.0.0")),
        Row("a member that is not there, at the end", Conf, Conf[..^1] + ",\"name\":\"n\"}", PluginConfWriter.Text("name", "n")),
        Row("a member away", Conf, Conf.Replace(",\"ipam\":{\"type\":\"dhcp\"}", ""), Member("ipam", "")),
        Row("a member away that is not there", Conf, Conf, Member("prevResult", "")),
        Row("one that stands twice, once", """{"mtu":1,"name":"n","mtu":2}""", """{"mtu":3,"name":"n"}""", Member("mtu", "3")),
        Row("none that stand twice", """{"mtu":1,"mtu":2}""", """{"mtu":1,"mtu":2,"name":"n"}""", PluginConfWriter.Text("name", "n")),
        Row("a name that is spelled with an escape", """{"n\u0061me":1,"x":2}""", """{"name":"n","x":2}""", PluginConfWriter.Text("name", "n")),
        Row("two at once", """{"a":1,"b":2,"c":3}""", """{"a":1,"c":4,"d":5}""", Member("b", ""), Member("c", "4"), Member("d", "5")),
        Row("an empty object", "{}", """{"name":"n"}""", PluginConfWriter.Text("name", "n")),
    ];

    [TestCaseSource(nameof(Changes))]
    public void All_but_what_is_changed_stays_as_it_stands(string json, string expected, KeyValuePair<string, ReadOnlyMemory<byte>>[] changes) =>
        Text(PluginConfWriter.Change(Bytes(json), changes)).TrimEnd().Should().Be(expected);

    [Test]
    public void White_space_inside_a_value_is_the_values() =>
        Text(PluginConfWriter.Change(Bytes("{ \"a\" : [ 1 ,\t2 ] }"), [PluginConfWriter.Text("b", "c")])).TrimEnd().Should().Be("{\"a\":[ 1 ,\t2 ],\"b\":\"c\"}");

    [TestCase("plain")]
    [TestCase("\"},\"type\":\"evil")]
    [TestCase("\u0000\u001b\n")]
    [TestCase("\u00e9\ud83d\ude00")]
    public void A_text_is_a_text_whatever_it_holds(string value)
    {
        var changed = (JsonObject)JsonNode.Parse(PluginConfWriter.Change(Bytes("""{"type":"bridge"}"""), [PluginConfWriter.Text("name", value)]).Span)!;

        changed.Should().HaveCount(2);
        ((string)changed["name"]!).Should().Be(value);
        ((string)changed["type"]!).Should().Be("bridge");
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("""{"a":1""")]
    [TestCase("""{"\ud800":1}""")]
    public void What_is_no_object_is_refused(string json) =>
        FluentActions.Invoking(() => PluginConfWriter.Change(Bytes(json), [])).Should().Throw<CniException>().Which.Code.Should().Be(CniErrorCode.DecodeFailure);

    // The plugin's capabilities, the runtime's runtimeConfig, what of it the plugin gets.
    [TestCase("portMappings", """{"portMappings":[{"hostPort":80 }],"bandwidth":{}}""", """{"portMappings":[{"hostPort":80 }]}""")]
    [TestCase("portMappings,mac", """{"mac":"02:00:00:00:00:01","x":1,"portMappings":[]}""", """{"mac":"02:00:00:00:00:01","portMappings":[]}""")]
    [TestCase("ips", """{"portMappings":[]}""", "")]
    [TestCase("", """{"portMappings":[]}""", "")]
    [TestCase("mac", "", "")]
    [TestCase("mac", null, "")]
    public void A_plugin_gets_what_it_declares(string capabilities, string? runtimeConfig, string expected) =>
        Text(PluginConfWriter.RuntimeConfigFor(
            new PluginConf("p", default) { Capabilities = capabilities.Split(',', StringSplitOptions.RemoveEmptyEntries) },
            runtimeConfig is null ? null : Bytes(runtimeConfig))).TrimEnd().Should().Be(expected);

    [TestCase("""[]""")]
    [TestCase("""[{"containerID":"c1","ifname":"eth0"},{"containerID":"c1","ifname":"net\u00221"}]""")]
    public void The_list_of_a_GC_is_what_the_specification_calls_it(string expected)
    {
        CniAttachment[] attachments = expected == "[]" ? [] : [new("c1", "eth0"), new("c1", "net\"1")];

        JsonNode.DeepEquals(JsonNode.Parse(ValidAttachments.Write(attachments).Span), JsonNode.Parse(expected)).Should().BeTrue();
    }

    private static TestCaseData Row(string name, string json, string expected, params KeyValuePair<string, ReadOnlyMemory<byte>>[] changes) =>
        new TestCaseData(json, expected, changes).SetArgDisplayNames(name);

    private static KeyValuePair<string, ReadOnlyMemory<byte>> Member(string name, string json) => new(name, Bytes(json));

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
