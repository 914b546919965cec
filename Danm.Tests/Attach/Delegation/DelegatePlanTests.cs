using System.Text;
using Danm.Attach.Delegation;
using Danm.Netlink;

namespace Danm.Tests.Attach.Delegation;

public sealed class DelegatePlanTests
{
    private const string FakeIpam = """{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/24","version":4},{"ipcidr":"fd00::5/64","version":6}]}""";

    private const string Bridge = """{"cniVersion":"0.4.0","type":"bridge","mtu":1.50,"ipam":{"type":"dhcp"},"x":"\u00e9","name":"br"}""";

    private static readonly TestCaseData[] Plans =
    [
        Row("Danm's in the place of the file's own", Bridge, IpamSource.Danm, Bridge.Replace("""{"type":"dhcp"}""", FakeIpam)),
        Row("the file's own", Bridge, IpamSource.Delegate, Bridge),
        Row("nobody's", Bridge, IpamSource.None, Bridge.Replace(""","ipam":{"type":"dhcp"}""", "")),
        Row("Danm's where the file has none", """{"type":"macvlan","name":"n"}""", IpamSource.Danm, $$"""{"type":"macvlan","name":"n","ipam":{{FakeIpam}}}"""),
        Row("nobody's where the file has none", """{"type":"macvlan","name":"n"}""", IpamSource.None, """{"type":"macvlan","name":"n"}"""),
        Row("Danm's in the plugin of a chain that has an ipam",
            """{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"a"},{"type":"b","ipam":{}},{"type":"c"}]}""",
            IpamSource.Danm,
            """{"type":"a","name":"c","cniVersion":"1.0.0"}""",
            $$"""{"type":"b","ipam":{{FakeIpam}},"name":"c","cniVersion":"1.0.0"}""",
            """{"type":"c","name":"c","cniVersion":"1.0.0"}"""),
        Row("Danm's in the first of a chain that has none",
            """{"name":"c","cniVersion":"1.0.0","plugins":[{"type":"a"},{"type":"b","name":"other","cniVersion":"0.1.0"}]}""",
            IpamSource.Danm,
            $$"""{"type":"a","name":"c","cniVersion":"1.0.0","ipam":{{FakeIpam}}}""",
            """{"type":"b","name":"c","cniVersion":"1.0.0"}"""),
        Row("nobody's of a whole chain",
            """{"name":"c","plugins":[{"type":"a","ipam":{"type":"x"}},{"type":"b","ipam":{}}]}""",
            IpamSource.None,
            """{"type":"a","name":"c"}""",
            """{"type":"b","name":"c"}"""),
    ];

    [TestCaseSource(nameof(Plans))]
    public void Addresses_are(string json, object ipam, string[] configs)
    {
        var plan = new DelegatePlan(DelegatePlannerTests.File(json), (IpamSource)ipam, null);

        plan.Compose([CidrAddress.Parse("10.0.0.5/24"), CidrAddress.Parse("fd00::5/64")]).Plugins.Select(p => p.Config).Should().Equal(configs);
    }

    [Test]
    public void Before_there_are_addresses_the_files_own_ipam_is_away_already() =>
        new DelegatePlan(DelegatePlannerTests.File(Bridge), IpamSource.Danm, null).Compose([]).Plugins[0].Config.Should().NotContain("ipam").And.NotContain("dhcp");

    [Test]
    public void Each_plugin_gets_of_runtimeConfig_what_it_declares()
    {
        const string Chain = """
            {"name":"c","plugins":[{"type":"a","capabilities":{"mac":true}},{"type":"b","capabilities":{"portMappings":true,"mac":false}},{"type":"c","runtimeConfig":{"kept":1}}]}
            """;
        var plan = new DelegatePlan(DelegatePlannerTests.File(Chain), IpamSource.Delegate, Encoding.UTF8.GetBytes("""{"portMappings":[{"hostPort":80}],"mac":"02:00:00:00:00:01","bandwidth":{}}"""));

        plan.Compose([]).Plugins.Select(p => p.Config.Replace("\n", "")).Should().Equal(
            """{"type":"a","capabilities":{"mac":true},"name":"c","runtimeConfig":{"mac":"02:00:00:00:00:01"}}""",
            """{"type":"b","capabilities":{"portMappings":true,"mac":false},"name":"c","runtimeConfig":{"portMappings":[{"hostPort":80}]}}""",
            """{"type":"c","runtimeConfig":{"kept":1},"name":"c"}""");
    }

    [Test]
    public void The_record_has_what_the_file_says_of_the_whole_chain()
    {
        var record = new DelegatePlan(
            DelegatePlannerTests.File("""{"name":"c","cniVersion":"1.1.0","disableCheck":true,"disableGC":true,"plugins":[{"type":"a"}]}"""), IpamSource.Delegate, null).Compose([]);

        (record.Name, record.CniVersion, record.DisableCheck, record.DisableGc, record.Result).Should().Be(("c", "1.1.0", true, true, null));
    }

    private static TestCaseData Row(string name, string json, object ipam, params string[] configs) => new TestCaseData(json, ipam, configs).SetArgDisplayNames(name);
}
