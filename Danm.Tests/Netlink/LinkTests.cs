using System.Net;
using Danm.Netlink;

namespace Danm.Tests.Netlink;

public class LinkTests
{
    private TemporaryNamespace _ns = null!;
    private RouteSocket _ip = null!;

    [SetUp]
    public void SetUp()
    {
        _ns = new TemporaryNamespace();
        _ip = _ns.OpenRoute();
    }

    [TearDown]
    public void TearDown()
    {
        _ip.Dispose();
        _ns.Dispose();
    }

    [Test]
    public void Dumps_what_ip_lists()
    {
        _ip.AddLink(new LinkSpec("br0", new LinkKind.Bridge()));
        _ip.AddLink(new LinkSpec("a", new LinkKind.Veth("b")) { Mtu = 1400 });

        var links = _ip.DumpLinks();

        var listed = _ns.IpJson("link show");
        links.Select(l => (l.Index, l.Name, l.Mtu, l.IsUp)).Should().Equal(listed.Select(j => (
            j.GetProperty("ifindex").GetInt32(),
            j.GetProperty("ifname").GetString()!,
            j.GetProperty("mtu").GetInt32(),
            j.GetProperty("flags").EnumerateArray().Any(f => f.GetString() == "UP"))));
        links.Where(l => l.Name != "lo").Select(l => l.Address.ToString())
            .Should().Equal(listed.Where(j => j.GetProperty("ifname").GetString() != "lo").Select(j => j.GetProperty("address").GetString()));
        links.Single(l => l.Name == "lo").Flags.Should().HaveFlag(LinkFlags.Loopback);
        links.Single(l => l.Name == "lo").Kind.Should().BeNull();
        links.Single(l => l.Name == "a").ParentIndex.Should().Be(links.Single(l => l.Name == "b").Index);
    }

    [Test]
    public void Gets_by_name_and_index_and_knows_absence()
    {
        var lo = _ip.GetLink("lo");
        lo.Should().BeEquivalentTo(_ip.GetLink(1));
        lo!.Index.Should().Be(1);
        _ip.GetLink("nosuch").Should().BeNull();
        _ip.GetLink(4711).Should().BeNull();
        _ip.GetLink(0).Should().BeNull();
        _ip.DeleteLink("nosuch").Should().BeFalse();
        _ip.DeleteLink(4711).Should().BeFalse();
    }

    [Test]
    public void Echoes_the_link_it_made()
    {
        var made = _ip.AddLink(new LinkSpec("br0", new LinkKind.Bridge())
        {
            Mtu = 1300, Group = 77, Up = true, Alias = "danm:test", Address = new MacAddress([2, 0, 0, 0, 0, 9]),
        });

        var read = _ip.GetLink("br0")!;
        read.Should().BeEquivalentTo(new
        {
            Mtu = 1300, Group = 77u, IsUp = true, Alias = "danm:test", Kind = new LinkKind.Bridge(), Address = new MacAddress([2, 0, 0, 0, 0, 9]),
        });
        if (made is not null)
            made.Should().BeEquivalentTo(read, o => o.Excluding(l => l.Flags));
        var json = _ns.IpJson("link show br0").Single();
        json.GetProperty("ifalias").GetString().Should().Be("danm:test");
        json.GetProperty("group").GetString().Should().Be("77");
        json.GetProperty("address").GetString().Should().Be("02:00:00:00:00:09");
    }

    [Test]
    public void Makes_a_macvlan_child_in_another_namespace_in_one_message()
    {
        using var pod = new TemporaryNamespace();
        using var inPod = pod.OpenRoute();
        _ip.AddLink(new LinkSpec("up0", new LinkKind.Veth("up1")) { Up = true });
        var parent = _ip.GetLink("up0")!;

        var made = _ip.AddLink(new LinkSpec("eth0", new LinkKind.Macvlan()) { ParentIndex = parent.Index, Namespace = pod.Namespace, Mtu = 1450 });

        made.Should().BeNull("the echo of a link elsewhere is not sent here");
        var child = inPod.GetLink("eth0")!;
        child.Kind.Should().Be(new LinkKind.Macvlan(MacvlanMode.Bridge));
        child.ParentIndex.Should().Be(parent.Index);
        child.ParentNamespaceId.Should().NotBeNull();
        child.Mtu.Should().Be(1450);
        pod.IpJson("link show eth0").Single().GetProperty("linkinfo").GetProperty("info_data").GetProperty("mode").GetString().Should().Be("bridge");
        _ip.DumpLinks().Should().NotContain(l => l.Name == "eth0");
    }

    private static readonly TestCaseData<LinkKind.Vxlan>[] s_vxlans =
    [
        new(new LinkKind.Vxlan(600) { Group = IPAddress.Parse("239.0.2.88"), Local = IPAddress.Parse("10.9.0.1"), L2Miss = true, L3Miss = true })
        {
            TestName = "Makes_a_vxlan_over_IPv4_multicast",
        },
        new(new LinkKind.Vxlan(16777215) { Group = IPAddress.Parse("ff02::258"), Local = IPAddress.Parse("fd09::1") })
        {
            TestName = "Makes_a_vxlan_over_IPv6_multicast",
        },
        new(new LinkKind.Vxlan(1) { Learning = false, Port = 8472 }) { TestName = "Makes_a_vxlan_without_group" },
    ];

    [TestCaseSource(nameof(s_vxlans))]
    public void Makes_a_vxlan(LinkKind.Vxlan kind)
    {
        _ip.AddLink(new LinkSpec("up0", new LinkKind.Veth("up1")) { Up = true });
        var underlay = _ip.GetLink("up0")!.Index;
        kind = kind with { UnderlayIndex = underlay };

        _ip.AddLink(new LinkSpec("vx_net", kind) { Alias = "danm" });

        var read = _ip.GetLink("vx_net")!;
        read.Kind.Should().Be(kind);
        read.ParentIndex.Should().Be(underlay);
        var data = _ns.IpJson("link show vx_net").Single().GetProperty("linkinfo").GetProperty("info_data");
        data.GetProperty("id").GetUInt32().Should().Be(kind.Id);
        data.GetProperty("port").GetInt32().Should().Be(kind.Port);
        data.GetProperty("link").GetString().Should().Be("up0");
        data.GetProperty("learning").GetBoolean().Should().Be(kind.Learning);
        data.TryGetProperty("l2miss", out var l2Miss).Should().Be(kind.L2Miss, l2Miss.ToString());
        if (kind.Group is not null)
        {
            data.GetProperty(kind.Group.ToString().Contains(':') ? "group6" : "group").GetString().Should().Be(kind.Group.ToString());
            data.GetProperty(kind.Group.ToString().Contains(':') ? "local6" : "local").GetString().Should().Be(kind.Local!.ToString());
        }
    }

    [Test]
    public void Changes_a_link()
    {
        using var other = new TemporaryNamespace();
        _ip.AddLink(new LinkSpec("a", new LinkKind.Veth("b")));
        _ip.AddLink(new LinkSpec("br0", new LinkKind.Bridge()));
        var a = _ip.GetLink("a")!.Index;
        var bridge = _ip.GetLink("br0")!.Index;

        _ip.SetLink(a, new LinkChange { Up = true, Mtu = 1280, Alias = "over \u00fcber", MasterIndex = bridge, Address = new MacAddress([2, 0, 0, 0, 0, 1]) });
        _ip.GetLink(a).Should().BeEquivalentTo(new
        {
            IsUp = true, Mtu = 1280, Alias = "over \u00fcber", MasterIndex = bridge, Address = new MacAddress([2, 0, 0, 0, 0, 1]),
        });
        _ns.IpJson("link show a").Single().GetProperty("master").GetString().Should().Be("br0");

        _ip.SetLink(a, new LinkChange { Up = false, Alias = "", MasterIndex = 0 });
        _ip.GetLink(a).Should().BeEquivalentTo(new { IsUp = false, Alias = (string?)null, MasterIndex = (int?)null });
        _ip.SetLink(a, new LinkChange { Name = "net0.500" });
        _ip.GetLink("net0.500")!.Index.Should().Be(a);

        _ip.SetLink(a, new LinkChange { Namespace = other.Namespace, Name = "eth7" });
        _ip.GetLink("net0.500").Should().BeNull();
        other.IpJson("link show eth7").Should().ContainSingle();
        _ip.DeleteLink("b").Should().BeTrue();
        _ip.DeleteLink(bridge).Should().BeTrue();
        _ns.IpJson("link show").Should().ContainSingle();
    }

    [Test]
    public void Puts_the_peer_of_a_veth_into_another_namespace()
    {
        using var other = new TemporaryNamespace();
        _ip.AddLink(new LinkSpec("host0", new LinkKind.Veth("eth0", other.Namespace)));
        other.IpJson("link show eth0").Single().GetProperty("linkinfo").GetProperty("info_kind").GetString().Should().Be("veth");
        _ip.GetLink("host0")!.ParentNamespaceId.Should().NotBeNull();
    }

    [Test]
    public void Says_what_the_kernel_says()
    {
        var unknown = () => _ip.AddLink(new LinkSpec("x", new LinkKind.Other("nosuchkind")));
        unknown.Should().Throw<NetlinkException>()
            .WithMessage("add link \"x\": operation not supported (EOPNOTSUPP): Unknown device type")
            .Which.Should().BeEquivalentTo(new { Errno = Errno.EOPNOTSUPP, Operation = "add link \"x\"", KernelMessage = "Unknown device type" });

        var orphan = () => _ip.AddLink(new LinkSpec("x", new LinkKind.Macvlan()) { ParentIndex = 4711 });
        orphan.Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.ENODEV);

        _ip.AddLink(new LinkSpec("br0", new LinkKind.Bridge()) { Alias = "mine" });
        var twice = () => _ip.AddLink(new LinkSpec("br0", new LinkKind.Bridge()) { Alias = "yours" });
        twice.Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.EEXIST);
        _ip.GetLink("br0")!.Alias.Should().Be("mine");
    }

    [TestCase("")]
    [TestCase("sixteen-bytes-it")]
    [TestCase("a/b")]
    [TestCase("..")]
    [TestCase("a..b")]
    [TestCase("a b")]
    [TestCase("eth%d")]
    [TestCase("a\u001b[2J")]
    public void Refuses_what_is_no_name(string name)
    {
        InterfaceName.IsValid(name).Should().BeFalse();
        var add = () => _ip.AddLink(new LinkSpec(name, new LinkKind.Bridge()));
        add.Should().Throw<ArgumentException>().Which.Message.Should().NotContain("\u001b");
        // Nothing of it stays in the batch.
        _ip.AddLink(new LinkSpec("br0", new LinkKind.Bridge()));
        _ip.DumpLinks().Should().HaveCount(2);
    }

    [Test]
    public void Makes_ipvlan_in_another_namespace()
    {
        using var pod = new TemporaryNamespace();
        using var inPod = pod.OpenRoute();
        _ip.AddLink(new LinkSpec("up0", new LinkKind.Veth("up1")) { Up = true });
        var parent = _ip.GetLink("up0")!;
        KernelSupport.AddLinkOrIgnore(_ip, new LinkSpec("eth0", new LinkKind.Ipvlan()) { ParentIndex = parent.Index, Namespace = pod.Namespace, Mtu = 1400 });

        var child = inPod.GetLink("eth0")!;
        child.Should().BeEquivalentTo(new { Kind = new LinkKind.Ipvlan(IpvlanMode.L2), ParentIndex = parent.Index, Mtu = 1400, parent.Address });
    }

    [Test]
    public void Makes_vlan()
    {
        _ip.AddLink(new LinkSpec("up0", new LinkKind.Veth("up1")));
        var parent = _ip.GetLink("up0")!;
        KernelSupport.AddLinkOrIgnore(_ip, new LinkSpec("net0.500", new LinkKind.Vlan(500)) { ParentIndex = parent.Index, Alias = "danm" });
        _ip.GetLink("net0.500").Should().BeEquivalentTo(new { Kind = new LinkKind.Vlan(500), ParentIndex = parent.Index, Alias = "danm" });
        _ns.IpJson("link show net0.500").Single().GetProperty("linkinfo").GetProperty("info_data").GetProperty("protocol").GetString().Should().Be("802.1Q");
    }

    [Test]
    public void Makes_dummy()
    {
        KernelSupport.AddLinkOrIgnore(_ip, new LinkSpec("d0", new LinkKind.Dummy()));
        _ip.GetLink("d0")!.Kind.Should().Be(new LinkKind.Dummy());
    }

    [Test]
    public void Makes_vrf()
    {
        KernelSupport.AddLinkOrIgnore(_ip, new LinkSpec("red", new LinkKind.Vrf(300)));
        _ip.GetLink("red")!.Kind.Should().Be(new LinkKind.Vrf(300));
    }
}
