using System.Net;
using System.Text;
using Danm.Api;
using Danm.Attach;
using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Networks;

namespace Danm.Tests.Attach.Delegation;

public sealed class DelegatePlannerTests
{
    // ip and ip6 of the annotation, then who gives the addresses of a network without subnets, with cidr, with net6, with both:
    // Danm, the File's own IPAM, the file's with a Warning, or Nobody.
    [TestCase("", "", "F F F F")]
    [TestCase("", "none", "N N N N")]
    [TestCase("", "dynamic", "W W D D")]
    [TestCase("", "fd00::5", "W W D D")]
    [TestCase("none", "", "N N N N")]
    [TestCase("none", "none", "N N N N")]
    [TestCase("none", "dynamic", "W W D D")]
    [TestCase("none", "fd00::5", "W W D D")]
    [TestCase("dynamic", "", "W D W D")]
    [TestCase("dynamic", "none", "W D W D")]
    [TestCase("dynamic", "dynamic", "W D D D")]
    [TestCase("dynamic", "fd00::5", "W D D D")]
    [TestCase("10.0.0.5", "", "W D W D")]
    [TestCase("10.0.0.5", "none", "W D W D")]
    [TestCase("10.0.0.5", "dynamic", "W D D D")]
    [TestCase("10.0.0.5", "fd00::5", "W D D D")]
    public void Who_gives_the_addresses_of_a_file_goes_by_what_is_asked_and_what_subnets_there_are(string ip, string ip6, string expected)
    {
        var sources = new List<string>();
        foreach (var (cidr, net6) in ((string?, string?)[])[("", null), ("10.0.0.0/24", ""), (null, "fd00::/64"), ("10.0.0.0/24", "fd00::/64")])
        {
            var warnings = new List<string>();
            var source = DelegatePlanner.TakeOver(Network("bridge", new NetworkOptions { Cidr = cidr, Net6 = net6 }), Ask(ip, ip6), warnings);
            sources.Add(source switch { IpamSource.Danm => "D", IpamSource.None => "N", _ => warnings.Count > 0 ? "W" : "F" });
            warnings.Should().HaveCountLessThanOrEqualTo(source == IpamSource.Delegate ? 1 : 0);
        }

        string.Join(' ', sources).Should().Be(expected);
    }

    [Test]
    public void The_warning_says_what_was_ignored_and_why()
    {
        var warnings = new List<string>();

        DelegatePlanner.TakeOver(Network("bridge", new NetworkOptions()), Ask("dynamic", "") with { Position = 2 }, warnings);

        warnings.Should().ContainSingle().Which.Should().ContainAll("entry 2", "DanmNet/ns/n", "neither cidr nor net6");
    }

    [TestCase("dynamic", "dynamic", "10.0.0.0/24", null, "has no net6")]
    [TestCase("10.0.0.5", "fd00::5", "", "fd00::/64", "has no cidr")]
    public void A_family_without_a_subnet_beside_one_that_has_it_is_an_error(string ip, string ip6, string? cidr, string? net6, string says)
    {
        var network = Network("bridge", new NetworkOptions { Cidr = cidr, Net6 = net6 });

        var refused = FluentActions.Invoking(() => Attach(network, Ask(ip, ip6), File("""{"type":"bridge"}"""))).Should().Throw<CniException>().Which;

        (refused.Code, refused.Msg).Should().Match<(int Code, string Msg)>(e => e.Code == CniErrorCode.InvalidAnnotation && e.Msg.Contains(says));
    }

    [TestCase("dynamic", "", "4")]
    [TestCase("dynamic", "fd00::5", "46")]
    [TestCase("", "", "")]
    [TestCase("none", "", "")]
    public void Addresses_are_claimed_only_where_Danm_gives_them(string ip, string ip6, string families)
    {
        var network = Network("bridge", new NetworkOptions { Cidr = "10.0.0.0/24", Net6 = "fd00::/64" });

        var attachment = Attach(network, Ask(ip, ip6), File("""{"type":"bridge"}"""));

        $"{(attachment.IPv4 is null ? "" : "4")}{(attachment.IPv6 is null ? "" : "6")}".Should().Be(families);
        attachment.Parent.Should().BeNull("only the file knows");
        attachment.ToRecord().Delegate!.Plugins.Should().ContainSingle().Which.Type.Should().Be("bridge");
    }

    // The version that the runtime speaks, and the one that the plugin gets.
    [TestCase("0.3.1", "0.3.1")]
    [TestCase("1.0.0", "1.0.0")]
    [TestCase("1.1.0", "1.0.0")]
    public void A_macvlans_configuration_is_built_from_the_object(string asked, string spoken)
    {
        var network = Network("MacVLAN", new NetworkOptions { HostDevice = "ens4", Vlan = 500, Cidr = "10.0.0.0/24", Mtu = 1400 });

        var plan = DelegatePlanner.Plan(network, Ask("dynamic", ""), null, Call(asked), []);

        plan.Ipam.Should().Be(IpamSource.Danm);
        var plugin = plan.List.Plugins.Should().ContainSingle().Subject;
        plugin.Type.Should().Be("macvlan");
        Text(plugin).Should().Be($$"""{"cniVersion":"{{spoken}}","name":"n","type":"macvlan","master":"n.500","mode":"bridge","mtu":1400}""");
    }

    [Test]
    public void Without_an_mtu_or_an_id_the_macvlan_takes_what_there_is()
    {
        var network = Network("macvlan", new NetworkOptions { HostDevice = "ens4" }, id: "");

        Text(DelegatePlanner.Plan(network, Ask("", ""), null, Call("1.0.0"), []).List.Plugins[0])
            .Should().Be("""{"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"ens4","mode":"bridge"}""");
    }

    [Test]
    public void Sriov_is_refused_while_its_device_cannot_be_chosen() =>
        FluentActions.Invoking(() => DelegatePlanner.Plan(Network("SRIOV", new NetworkOptions { DevicePool = "v/p" }), Ask("", ""), null, Call("1.0.0"), []))
            .Should().Throw<CniException>().WithMessage("*DanmNet/ns/n*'sriov'*").Which.Code.Should().Be(CniErrorCode.InvalidNetwork);

    [Test]
    public void A_file_for_another_plugin_is_refused() =>
        FluentActions.Invoking(() => DelegatePlanner.Plan(Network("bridge", new NetworkOptions()), Ask("", ""), File("""{"plugins":[{"type":"ptp"},{"type":"bridge"}]}"""), Call("1.0.0"), []))
            .Should().Throw<CniException>().WithMessage("*'bridge'*'n'*'ptp'*").Which.Code.Should().Be(CniErrorCode.InvalidNetwork);

    [TestCase("""{"type":"bridge"}""", "n")]
    [TestCase("""{"type":"bridge","name":"br"}""", "br")]
    public void A_file_without_a_name_gets_the_NetworkID(string json, string name) =>
        DelegatePlanner.Plan(Network("bridge", new NetworkOptions()), Ask("", ""), File(json), Call("1.0.0"), []).List.Name.Should().Be(name);

    [TestCase(0, true)]
    [TestCase(1, false)]
    public void RuntimeConfig_is_for_the_first_interface(int position, bool gets)
    {
        var call = Call("1.0.0");
        call = call with { Config = call.Config with { RuntimeConfig = "{\"mac\":\"x\"}"u8.ToArray() } };

        DelegatePlanner.Plan(Network("bridge", new NetworkOptions()), Ask("", "") with { Position = position }, File("""{"type":"bridge"}"""), call, [])
            .RuntimeConfig.HasValue.Should().Be(gets);
    }

    internal static NetworkList File(string json) => NetworkListReader.Read(Encoding.UTF8.GetBytes(json), "/etc/cni/net.d/n.conf");

    internal static AttachmentRequest Ask(string ip, string ip6) => new(0, new NetworkRef(NetworkKind.DanmNet, "ns", "n"), Request(ip), Request(ip6), [], []);

    private static IPRequest Request(string text) => text switch
    {
        "" => default,
        "none" => new IPRequest(IPRequestKind.None),
        "dynamic" => IPRequest.Dynamic,
        _ => new IPRequest(IPRequestKind.Static, IPAddress.Parse(text)),
    };

    private static Network Network(string type, NetworkOptions options, string id = "n") => AttachmentPlannerTests.Network(options, type, id);

    private static CniRequest Call(string version)
    {
        SpecVersion.TryParse(version, out var parsed).Should().BeTrue();
        return new CniRequest { Command = CniCommand.Add, ContainerId = "c1", IfName = "eth0", Netns = "/run/netns/x", Config = new NetConf { Name = "danm", CniVersion = parsed } };
    }

    private static Attachment Attach(Network network, AttachmentRequest request, NetworkList file) => AttachmentPlanner.Plan(
        new PodSandbox(new Pod { Metadata = new ObjectMeta { Name = "p", Namespace = "ns", Uid = "u" } }, "u", "c1", "c1", "/run/netns/x", null),
        [request], [network], new Dictionary<NetworkRef, NetworkList> { [network.Ref] = file }, Call("1.0.0")).Single();

    private static string Text(PluginConf plugin) => Encoding.UTF8.GetString(plugin.Json.Span);
}
