using System.Text.Json;
using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;
using Danm.Tests.Netlink;

namespace Danm.Tests.HostLinks;

/// <summary>
/// Parents of Pod interfaces, in a namespace that stands for the host's. VLANs are made in the guest tests, whose kernel has them.
/// </summary>
public sealed class HostLinkTests
{
    private static readonly ParentLink Wanted = new("vx_internal", "ens4", Encapsulation.Vxlan, 600);

    private TemporaryNamespace node = null!;
    private RouteSocket host = null!;

    [SetUp]
    public void SetUp()
    {
        node = new TemporaryNamespace();
        host = node.OpenRoute();
        node.Ip("link add ens4 type veth peer name peer4");
        node.Ip("link add ens5 type veth peer name peer5");
        foreach (var device in (string[])["ens4", "ens5", "peer4", "peer5"])
            node.Ip($"link set {device} up");
        node.Ip("address add 192.0.2.1/24 dev ens4");
        node.Ip("address add 198.51.100.1/24 dev ens5");
    }

    [TearDown]
    public void TearDown()
    {
        host.Dispose();
        node.Dispose();
    }

    [TestCase(Encapsulation.None)]
    [TestCase(Encapsulation.Vlan)]
    [TestCase(Encapsulation.Vxlan)]
    public void A_device_that_is_missing_is_named_and_nothing_is_made(Encapsulation encapsulation)
    {
        var before = Names();
        var wanted = new ParentLink("x", "ens9", encapsulation, 5);

        this.Invoking(t => HostLink.Check(t.host, wanted)).Should().Throw<HostLinkException>().WithMessage("*\"ens9\" does not exist on this node*");
        this.Invoking(t => HostLink.Ensure(t.host, wanted, null)).Should().Throw<HostLinkException>().WithMessage("*\"ens9\" does not exist on this node*");

        Names().Should().Equal(before);
    }

    [Test]
    public void Where_nothing_encapsulates_the_device_is_the_parent()
    {
        var before = Names();
        var wanted = new ParentLink("ens4", "ens4", Encapsulation.None, 0);

        HostLink.Check(host, wanted);
        HostLink.Ensure(host, wanted, 9000).Should().BeEquivalentTo(host.GetLink("ens4"));

        Names().Should().Equal(before);
    }

    [Test]
    public void A_VxLAN_is_made_as_the_original_made_it()
    {
        var made = HostLink.Ensure(host, Wanted, null);

        var (link, data) = Shown("vx_internal");
        link.GetProperty("ifindex").GetInt32().Should().Be(made.Index);
        link.GetProperty("flags").EnumerateArray().Select(f => f.GetString()).Should().Contain("UP");
        link.GetProperty("ifalias").GetString().Should().Be("danm:vxlan600.ens4");
        link.GetProperty("mtu").GetInt32().Should().Be(1450, "the kernel takes the outer headers off the device's");
        data.GetProperty("id").GetInt32().Should().Be(600);
        data.GetProperty("link").GetString().Should().Be("ens4");
        data.GetProperty("group").GetString().Should().Be("239.0.2.88");
        data.GetProperty("local").GetString().Should().Be("192.0.2.1");
        data.GetProperty("port").GetInt32().Should().Be(4789);
        foreach (var flag in (string[])["learning", "l2miss", "l3miss"])
            data.GetProperty(flag).GetBoolean().Should().BeTrue(flag);
    }

    [TestCase(1, "239.0.0.1", "ff02::1")]
    [TestCase(600, "239.0.2.88", "ff02::258")]
    [TestCase(65536, "239.1.0.0", "ff02::1:0")]
    [TestCase(16777214, "239.255.255.254", "ff02::ff:fffe")]
    public void The_group_is_the_id_behind_a_prefix(int vni, string group, string group6)
    {
        HostLink.Ensure(host, Wanted with { Vni = vni }, null);
        Shown("vx_internal").Data.GetProperty("group").GetString().Should().Be(group);

        node.Ip("link delete vx_internal");
        node.Ip("address flush dev ens4");
        node.Ip("address add 2001:db8::1/64 dev ens4 nodad");
        HostLink.Ensure(host, Wanted with { Vni = vni }, null);
        Shown("vx_internal").Data.GetProperty("group6").GetString().Should().Be(group6);
        Shown("vx_internal").Data.GetProperty("local6").GetString().Should().Be("2001:db8::1");
    }

    [Test]
    public void IPv4_goes_first_and_addresses_of_the_link_alone_do_not_count()
    {
        node.Ip("address flush dev ens4");
        node.Ip("address add 2001:db8::1/64 dev ens4 nodad");
        node.Ip("address add 169.254.0.1/16 dev ens4 scope link");
        node.Ip("address add 192.0.2.7/24 dev ens4");

        HostLink.Ensure(host, Wanted, null);

        Shown("vx_internal").Data.GetProperty("local").GetString().Should().Be("192.0.2.7");
    }

    [Test]
    public void A_device_without_a_global_address_cannot_carry_a_VxLAN()
    {
        node.Ip("address flush dev ens4");
        node.Ip("address add 169.254.0.1/16 dev ens4 scope link");

        this.Invoking(t => HostLink.Ensure(t.host, Wanted, null)).Should().Throw<HostLinkException>().WithMessage("*\"ens4\" has no global address*VxLAN 600*");

        Names().Should().NotContain("vx_internal");
    }

    [Test]
    public void Unicast_flooding_has_no_group()
    {
        HostLink.Ensure(host, Wanted, null, multicast: false);

        var data = Shown("vx_internal").Data;
        data.TryGetProperty("group", out _).Should().BeFalse();
        data.TryGetProperty("group6", out _).Should().BeFalse();
        data.GetProperty("local").GetString().Should().Be("192.0.2.1");
    }

    [TestCase(null, 1450)]
    [TestCase(1300, 1300)]
    public void The_networks_MTU_is_the_parents(int? mtu, int expected) =>
        HostLink.Ensure(host, Wanted, mtu).Mtu.Should().Be(expected);

    [Test]
    public void An_equal_one_is_taken_as_it_is()
    {
        var made = HostLink.Ensure(host, Wanted, null);

        HostLink.Check(host, Wanted);
        HostLink.Ensure(host, Wanted, 1300).Should().BeEquivalentTo(made);

        node.Ip("link delete vx_internal");
        node.Ip("link add vx_internal type vxlan id 600 dev ens4 dstport 4789 group 239.0.2.88");
        var theirs = host.GetLink("vx_internal")!;
        HostLink.Ensure(host, Wanted, null).Index.Should().Be(theirs.Index);
        host.GetLink("vx_internal")!.Alias.Should().BeNull("it is still the host's own");
    }

    [TestCase("link add vx_internal type vxlan id 601 dev ens4 dstport 4789")]
    [TestCase("link add vx_internal type vxlan id 600 dev ens5 dstport 4789")]
    [TestCase("link add vx_internal type vxlan id 600 dstport 4789")]
    [TestCase("link add vx_internal type bridge")]
    [TestCase("link add vx_internal type veth peer name other")]
    public void Another_one_of_that_name_is_refused_and_left_alone(string theirs)
    {
        node.Ip(theirs);
        var before = host.GetLink("vx_internal");

        foreach (var attempt in (Action[])[() => HostLink.Check(host, Wanted), () => HostLink.Ensure(host, Wanted, null)])
            attempt.Should().Throw<HostLinkException>().WithMessage("*\"vx_internal\" exists but is not VxLAN 600 on \"ens4\"*another segment*");

        host.GetLink("vx_internal").Should().BeEquivalentTo(before);
    }

    [TestCase("bridge")]
    [TestCase("vxlan id 500 dev ens4 dstport 4789")]
    public void What_is_no_VLAN_is_refused_for_one(string theirs)
    {
        node.Ip($"link add internal.500 type {theirs}");
        var wanted = new ParentLink("internal.500", "ens4", Encapsulation.Vlan, 500);

        this.Invoking(t => HostLink.Check(t.host, wanted)).Should().Throw<HostLinkException>().WithMessage("*\"internal.500\" exists but is not VLAN 500 on \"ens4\"*");
    }

    [Test]
    public void An_id_that_another_name_has_says_so()
    {
        node.Ip("link add theirs type vxlan id 600 dev ens4 dstport 4789 group 239.0.2.88");

        HostLink.Check(host, Wanted);
        this.Invoking(t => HostLink.Ensure(t.host, Wanted, null)).Should().Throw<HostLinkException>()
            .WithMessage("*\"vx_internal\" cannot be made: an interface of another name is VxLAN 600 on \"ens4\" already*");

        Names().Should().NotContain("vx_internal");
    }

    [Test]
    public void Looking_makes_nothing()
    {
        HostLink.Check(host, Wanted);

        Names().Should().NotContain("vx_internal");
    }

    [Test]
    public async Task Many_at_once_make_one()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() =>
        {
            using var own = node.OpenRoute();
            return HostLink.Ensure(own, Wanted, null).Index;
        })));

        made.Distinct().Should().ContainSingle();
        Names().Count(name => name.StartsWith("vx_")).Should().Be(1);
    }

    // The kernel's 20 groups a socket would keep the 21st VxLAN down.
    [Test]
    public void The_kernel_is_told_to_allow_enough_groups()
    {
        const string Parameter = "/proc/sys/net/ipv4/igmp_max_memberships";
        var before = File.ReadAllText(Parameter);
        try
        {
            File.WriteAllText(Parameter, "20");
            HostLink.Ensure(host, Wanted with { Name = "vx_unicast", Vni = 7 }, null, multicast: false);
            File.ReadAllText(Parameter).Trim().Should().Be("20", "without multicast nobody joins");

            HostLink.Ensure(host, Wanted, null);
            File.ReadAllText(Parameter).Trim().Should().Be("8192");

            File.WriteAllText(Parameter, "9000");
            node.Ip("link delete vx_internal");
            HostLink.Ensure(host, Wanted, null);
            File.ReadAllText(Parameter).Trim().Should().Be("9000", "more is left alone");
        }
        finally
        {
            File.WriteAllText(Parameter, before);
        }
    }

    private string[] Names() => [.. host.DumpLinks().Select(l => l.Name)];

    private (JsonElement Link, JsonElement Data) Shown(string name)
    {
        var link = node.IpJson($"link show {name}").Single();
        return (link, link.GetProperty("linkinfo").GetProperty("info_data"));
    }
}
