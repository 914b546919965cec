using Danm.Api;
using Danm.Attach;
using Danm.Cni;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;
using Danm.Tests.Netlink;

namespace Danm.Tests.Attach;

/// <summary>What every interface gets inside the Pod, and what DEL takes out of it, on a kind of interface that every kernel has.</summary>
public sealed class PodInterfaceTests
{
    private TemporaryNamespace pod = null!;

    [SetUp]
    public void SetUp()
    {
        pod = new TemporaryNamespace();
        pod.Ip("link add eth0 type veth peer name peer0");
        pod.Ip("link set peer0 up");
    }

    [TearDown]
    public void TearDown() => pod.Dispose();

    // "none" means link-local addresses only, as in the original.
    [TestCase(IPRequestKind.NotAsked, "disable_ipv6=1")]
    [TestCase(IPRequestKind.None, "disable_ipv6=0 autoconf=0 accept_ra=0 ndisc_notify=1")]
    [TestCase(IPRequestKind.Dynamic, "disable_ipv6=0 autoconf=0 accept_ra=0 ndisc_notify=1")]
    public void IPv6_is_off_unless_it_was_asked_for(IPRequestKind ipv6, string switches)
    {
        pod.Exec("sh", "-c", "for s in disable_ipv6:0 autoconf:1 accept_ra:1 ndisc_notify:0; do echo ${s#*:} > /proc/sys/net/ipv6/conf/eth0/${s%:*}; done");

        Configure(Plan(default, ipv6), ipv6 == IPRequestKind.Dynamic ? ["fd00::5/64"] : []);

        foreach (var pair in switches.Split(' '))
            pod.Exec("cat", $"/proc/sys/net/ipv6/conf/eth0/{pair.Split('=')[0]}").Should().Be(pair.Split('=')[1], pair);
        var addresses = pod.IpJson("-6 address show dev eth0 scope link").SelectMany(l => l.TryGetProperty("addr_info", out var list) ? list.EnumerateArray().ToList() : []);
        addresses.Any(a => a.TryGetProperty("local", out _)).Should().Be(ipv6 != IPRequestKind.NotAsked, "an interface with IPv6 has a link-local address");
    }

    [Test]
    public void Addresses_routes_and_policy_routes_are_where_they_belong()
    {
        Configure(Plan(IPRequestKind.Dynamic, IPRequestKind.Dynamic), "10.0.0.5/24", "fd00::5/64");

        pod.Ip("-o address show dev eth0 scope global").Should().Contain("10.0.0.5/24").And.Contain("brd 10.0.0.255").And.Contain("fd00::5/64").And.NotContain("tentative");
        pod.Ip("route show").Should().Contain("10.1.0.0/16 via 10.0.0.1 dev eth0").And.NotContain("10.2.0.0/16");
        pod.Ip("-6 route show").Should().Contain("fd01::/64 via fd00::1 dev eth0").And.NotContain("fd02::/64");
        pod.Ip("route show table 100").Trim().Should().Be("10.2.0.0/16 via 10.0.0.2 dev eth0");
        pod.Ip("-6 route show table 100").Should().StartWith("fd02::/64 via fd00::2 dev eth0");
        pod.Ip("rule show").Should().Contain("from 10.0.0.5 lookup 100");
        pod.Ip("-6 rule show").Should().Contain("from fd00::5 lookup 100");
        pod.IpJson("link show eth0").Single().GetProperty("flags").EnumerateArray().Select(f => f.GetString()).Should().Contain("UP");
    }

    [Test]
    public void A_rule_is_only_for_a_family_with_policy_routes()
    {
        var attachment = Plan(IPRequestKind.Dynamic, IPRequestKind.Dynamic);

        Configure(attachment with { PolicyRoutes = [.. attachment.PolicyRoutes.Where(r => !r.Destination.IsIPv6)] }, "10.0.0.5/24", "fd00::5/64");

        pod.Ip("rule show").Should().Contain("lookup 100");
        pod.Ip("-6 rule show").Should().NotContain("lookup 100");
    }

    [Test]
    public void A_gateway_that_cannot_be_reached_is_the_kernels_refusal()
    {
        pod.Ip("address add 10.0.0.5/24 dev peer0");
        var attachment = Plan(IPRequestKind.Dynamic, default) with { Routes = [AttachmentPlannerTests.Route("10.1.0.0/16", "192.0.2.1")] };

        this.Invoking(t => t.Configure(attachment, "10.0.0.5/24")).Should().Throw<NetlinkException>();
    }

    [Test]
    public void An_interface_that_is_gone_is_named() =>
        this.Invoking(t => t.Configure(Plan(default, IPRequestKind.NotAsked) with { Interface = "lo0" })).Should().Throw<CniException>().WithMessage("*\"lo0\"*");

    // Interfaces of other kinds were there before; rules outlive interfaces.
    [Test]
    public void DEL_takes_out_its_own_rules_and_nobody_elses_interface()
    {
        foreach (var rule in (string[])["from 10.0.0.5 table 100", "from 10.0.0.6 table 101", "from 10.0.0.0/24 table 100", "from 10.0.0.7 iif lo table 100", "from 10.0.0.8 to 10.9.0.0/16 table 100"])
            pod.Ip($"rule add {rule}");
        pod.Ip("-6 rule add from fd00::5 table 100");

        SandboxInterfaces.Remove(Record($"/run/netns/{pod.Name}"), $"/run/netns/{pod.Name}");

        var rules = pod.Ip("rule show");
        rules.Should().NotContain("from 10.0.0.5 lookup 100");
        rules.Should().Contain("from 10.0.0.6 lookup 101").And.Contain("from 10.0.0.0/24 lookup 100").And.Contain("from 10.0.0.7 iif lo lookup 100")
            .And.Contain("from 10.0.0.8 to 10.9.0.0/16 lookup 100");
        pod.Ip("-6 rule show").Should().NotContain("lookup 100");
        pod.Ip("link show eth0").Should().Contain("eth0", "a veth is none of ours");
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("/run/netns/danm-none")]
    [TestCase("/etc/hostname")]
    public void Where_no_namespace_is_there_is_nothing_to_take_out(string? netns) =>
        FluentActions.Invoking(() => SandboxInterfaces.Remove(Record(netns), netns)).Should().NotThrow();

    [TestCase("/run/netns/x", null, "/run/netns/x")]
    [TestCase("/proc/17/ns/net", null, null)]
    [TestCase("", null, null)]
    [TestCase(null, null, null)]
    [TestCase("/run/netns/x", "11111111-2222-3333-4444-555555555555", null)]
    public void A_recorded_path_is_entered_only_while_it_means_the_same(string? netns, string? bootId, string? entered) =>
        SandboxInterfaces.RecordedNetns(Record(netns) with { BootId = bootId ?? NodeState.BootId }).Should().Be(entered);

    private static SandboxRecord Record(string? netns) => new()
    {
        ContainerId = "c1", Netns = netns, Attachments = [new AttachmentRecord { Interface = "eth0", Table = 100 }],
    };

    private static Attachment Plan(IPRequestKind ipv4, IPRequestKind ipv6)
    {
        var network = AttachmentPlannerTests.Network(new NetworkOptions
        {
            HostDevice = "ens4", Cidr = "10.0.0.0/24", Net6 = "fd00::/64", RoutingTable = 100,
            Routes = new() { ["10.1.0.0/16"] = "10.0.0.1" }, Routes6 = new() { ["fd01::/64"] = "fd00::1" },
        });
        var request = AttachmentPlannerTests.Ask(network, new IPRequest(ipv4), new IPRequest(ipv6)) with
        {
            PolicyRoutes = [AttachmentPlannerTests.Route("10.2.0.0/16", "10.0.0.2")], PolicyRoutes6 = [AttachmentPlannerTests.Route("fd02::/64", "fd00::2")],
        };
        return AttachmentPlannerTests.Plan([request], [network])[0];
    }

    private void Configure(Attachment attachment, params IEnumerable<string> addresses) =>
        PodInterface.Configure(pod.Namespace, attachment, [.. addresses.Select(a => CidrAddress.Parse(a))]);
}
