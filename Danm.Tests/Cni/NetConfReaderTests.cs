using System.Text;
using Danm.Cni;

namespace Danm.Tests.Cni;

public class NetConfReaderTests
{
    [Test]
    public void Fills_in_the_defaults()
    {
        var conf = Read("""{"name":"net"}""");

        conf.Should().BeEquivalentTo(
            new
            {
                CniVersion = SpecVersion.V0_1_0,
                Name = "net",
                Type = (string?)null,
                Kubeconfig = (string?)null,
                CniDir = "/etc/cni/net.d",
                LegacyNames = false,
                LogLevel = NetConfLogLevel.Info,
                LogFile = "/var/log/danm.log",
                Timeout = TimeSpan.FromSeconds(30),
                NodeName = (string?)null,
                Parallel = NetConfParallel.All,
                VxlanFlooding = NetConfVxlanFlooding.Multicast,
                PrevResult = (ReadOnlyMemory<byte>?)null,
                RuntimeConfig = (ReadOnlyMemory<byte>?)null,
                ValidAttachments = (IReadOnlyList<CniAttachment>?)null,
            });
    }

    [Test]
    public void Reads_every_key()
    {
        const string Json = """
            {
              "cniVersion": "1.0.0", "name": "meta_cni", "name_comment": "ignored", "type": "danm",
              "kubeconfig": "/etc/kubernetes/kubeconfig/danmc.yml", "cniDir": "/etc/cni/static", "namingScheme": "legacy",
              "logLevel": "debug", "logFile": "/var/log/other.log", "timeoutSeconds": 180, "nodeName": "node-1.example",
              "parallel": "others", "vxlanFlooding": "unicast",
              "prevResult": {"ips": [ ]}, "runtimeConfig": { "portMappings" : [1e2] },
              "cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0", "more": {}}],
              "cni.dev/attachments": "ignored", "master": 5
            }
            """;

        var conf = Read(Json);

        conf.CniVersion.Should().Be(SpecVersion.V1_0_0);
        conf.Name.Should().Be("meta_cni");
        conf.Type.Should().Be("danm");
        conf.Kubeconfig.Should().Be("/etc/kubernetes/kubeconfig/danmc.yml");
        conf.CniDir.Should().Be("/etc/cni/static");
        conf.LegacyNames.Should().BeTrue();
        conf.LogLevel.Should().Be(NetConfLogLevel.Debug);
        conf.LogFile.Should().Be("/var/log/other.log");
        conf.Timeout.Should().Be(TimeSpan.FromMinutes(3));
        conf.NodeName.Should().Be("node-1.example");
        conf.Parallel.Should().Be(NetConfParallel.Others);
        conf.VxlanFlooding.Should().Be(NetConfVxlanFlooding.Unicast);
        Text(conf.PrevResult).Should().Be("""{"ips": [ ]}""");
        Text(conf.RuntimeConfig).Should().Be("""{ "portMappings" : [1e2] }""");
        conf.ValidAttachments.Should().Equal(new CniAttachment("c1", "eth0"));
        Text(conf.Raw).Should().Be(Json);
    }

    [Test]
    public void Takes_the_folder_of_the_environment_unless_the_configuration_names_one()
    {
        NetConfReader.Read("""{"name":"n"}"""u8.ToArray(), "/srv/cni").CniDir.Should().Be("/srv/cni");
        NetConfReader.Read("""{"name":"n","cniDir":"/x"}"""u8.ToArray(), "/srv/cni").CniDir.Should().Be("/x");
    }

    [Test]
    public void Tells_an_absent_attachment_list_from_an_empty_one()
    {
        Read("""{"name":"n"}""").ValidAttachments.Should().BeNull();
        Read("""{"name":"n","cni.dev/valid-attachments":null}""").ValidAttachments.Should().BeNull();
        Read("""{"name":"n","cni.dev/valid-attachments":[]}""").ValidAttachments.Should().BeEmpty();
    }

    [TestCase("awesome")]
    [TestCase("Legacy")]
    [TestCase("")]
    public void Takes_any_other_naming_scheme_for_the_default(string scheme) =>
        Read($$"""{"name":"n","namingScheme":"{{scheme}}"}""").LegacyNames.Should().BeFalse();

    [Test]
    public void Reads_an_escaped_key() => Read("{\"\\u006eame\":\"n\"}").Name.Should().Be("n");

    [TestCase("""{}""", "name is missing")]
    [TestCase("""{"name":""}""", "name is missing")]
    [TestCase("""{"name":null}""", "name is missing")]
    [TestCase("""{"name":"../x"}""", "name '../x' is not a name*")]
    [TestCase("""{"name":"a b"}""", "name 'a b' is not a name*")]
    [TestCase("""{"name":["n"]}""", "name is a list, not a string")]
    [TestCase("""{"name":"n","cniVersion":1}""", "cniVersion is '1', not a string")]
    [TestCase("""{"name":"n","type":{}}""", "type is an object, not a string")]
    [TestCase("""{"name":"n","kubeconfig":"conf.yml"}""", "kubeconfig 'conf.yml' is not an absolute path")]
    [TestCase("""{"name":"n","kubeconfig":"/a\u0000b"}""", "kubeconfig '/a\\u0000b' is not an absolute path")]
    [TestCase("""{"name":"n","cniDir":"net.d"}""", "cniDir 'net.d' is not an absolute path")]
    [TestCase("""{"name":"n","logFile":"-"}""", "logFile '-' is not an absolute path")]
    [TestCase("""{"name":"n","logLevel":"loud"}""", "logLevel 'loud' is not one of debug, info, warning, error, none")]
    [TestCase("""{"name":"n","timeoutSeconds":0}""", "timeoutSeconds '0' is not a whole number from 1 to 600")]
    [TestCase("""{"name":"n","timeoutSeconds":601}""", "timeoutSeconds '601' is not a whole number from 1 to 600")]
    [TestCase("""{"name":"n","timeoutSeconds":1.5}""", "timeoutSeconds '1.5' is not a whole number from 1 to 600")]
    [TestCase("""{"name":"n","timeoutSeconds":1e999}""", "timeoutSeconds '1e999' is not a whole number from 1 to 600")]
    [TestCase("""{"name":"n","timeoutSeconds":"30"}""", "timeoutSeconds is '30', not a whole number")]
    [TestCase("""{"name":"n","nodeName":"Node_1"}""", "nodeName 'Node_1' is not a node's name*")]
    [TestCase("""{"name":"n","parallel":"some"}""", "parallel 'some' is not one of all, others, none")]
    [TestCase("""{"name":"n","parallel":true}""", "parallel is 'true', not a string")]
    [TestCase("""{"name":"n","vxlanFlooding":"broadcast"}""", "vxlanFlooding 'broadcast' is not one of multicast, unicast")]
    [TestCase("""{"name":"n","prevResult":[]}""", "prevResult is a list, not an object")]
    [TestCase("""{"name":"n","runtimeConfig":"x"}""", "runtimeConfig is 'x', not an object")]
    [TestCase("""{"name":"n","cni.dev/valid-attachments":{}}""", "cni.dev/valid-attachments is an object, not a list")]
    [TestCase("""{"name":"n","cni.dev/valid-attachments":[null]}""", "cni.dev/valid-attachments 'null' is not an attachment")]
    [TestCase("""{"name":"n","cni.dev/valid-attachments":[{"ifname":"eth0"}]}""", "cni.dev/valid-attachments: containerID '' is not a container id")]
    [TestCase("""{"name":"n","cni.dev/valid-attachments":[{"containerID":"c"}]}""", "cni.dev/valid-attachments: ifname '' is not an interface name")]
    public void Names_the_key_and_the_value_that_are_wrong(string json, string complaint)
    {
        var error = FluentActions.Invoking(() => Read(json)).Should().Throw<CniException>().Which;

        error.Code.Should().Be(7);
        error.Msg.Should().Match("the network configuration: " + complaint.Replace("\\\\", "\\"));
    }

    [Test]
    public void Bounds_the_attachment_list()
    {
        var entry = """{"containerID":"c","ifname":"e"}""";
        var json = $$"""{"name":"n","cni.dev/valid-attachments":[{{string.Join(',', Enumerable.Repeat(entry, 4097))}}]}""";

        FluentActions.Invoking(() => Read(json)).Should().Throw<CniException>().WithMessage("*more than 4096 items");
    }

    private static NetConf Read(string json) => NetConfReader.Read(Encoding.UTF8.GetBytes(json));

    private static string? Text(ReadOnlyMemory<byte>? json) => json is { } text ? Encoding.UTF8.GetString(text.Span) : null;
}
