using Danm.Api;
using Danm.Networks;

namespace Danm.Tests.Networks;

/// <summary>Types, parents, segments, access and defaults of a network.</summary>
public sealed class NetworkTests
{
    internal static Network Make(NetworkOptions? options = null, string? id = "net", string? type = null, string name = "n") => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "ns" },
        Spec = new NetworkSpec { NetworkId = id, NetworkType = type, Options = options ?? new NetworkOptions() },
    };

    [TestCase(null, "ipvlan", true)]
    [TestCase("", "ipvlan", true)]
    [TestCase("IPVLAN", "ipvlan", true)]
    [TestCase("MacVlan", "macvlan", true)]
    [TestCase("SRIOV", "sriov", true)]
    [TestCase("Flannel", "Flannel", false)]
    [TestCase("ipvlan2", "ipvlan2", false)]
    public void Types_are_known_without_case(string? spelled, string type, bool dynamic)
    {
        NetworkTypes.Of(spelled).Should().Be(type);
        NetworkTypes.IsDynamic(spelled).Should().Be(dynamic);
    }

    [TestCase(null, null, "ens4", Encapsulation.None, 0)]
    [TestCase(0, 0, "ens4", Encapsulation.None, 0)]
    [TestCase(500, null, "net.500", Encapsulation.Vlan, 500)]
    [TestCase(null, 600, "vx_net", Encapsulation.Vxlan, 600)]
    [TestCase(500, 600, "vx_net", Encapsulation.Vxlan, 600)]
    public void Parents_have_the_originals_names(int? vlan, int? vxlan, string name, Encapsulation encapsulation, int vni) =>
        ParentLink.Of(Make(new NetworkOptions { HostDevice = "ens4", Vlan = vlan, Vxlan = vxlan }))
            .Should().Be(new ParentLink(name, "ens4", encapsulation, vni));

    [TestCase(null, "net", "spec.Options.host_device: is missing")]
    [TestCase("", "net", "spec.Options.host_device: is missing")]
    [TestCase("ens4ens4ens4ens4", "net", "*\"ens4ens4ens4ens4\" is no interface name: at most 15 characters*")]
    [TestCase("../ens4", "net", "spec.Options.host_device: \"../ens4\"*")]
    [TestCase("ens4", null, "spec.NetworkID: is missing")]
    [TestCase("ens4", "network-1234", "spec.NetworkID: \"network-1234\" makes the host interface's name*")]
    [TestCase("ens4", "a/b", "spec.NetworkID: \"a/b\"*")]
    [TestCase("ens4", "a\u001b[1m", "spec.NetworkID: \"a\\u001b[1m\"*")]
    public void Parents_that_no_interface_can_be_are_faults(string? device, string? id, string message) =>
        FluentActions.Invoking(() => ParentLink.Of(Make(new NetworkOptions { HostDevice = device, Vlan = 500 }, id)))
            .Should().Throw<NetworkFaultException>().WithMessage(message);

    [TestCase("ipvlan", "ens4", null, null, null, "untagged.ens4")]
    [TestCase(null, "ens4", null, 500, null, "vlan500.ens4")]
    [TestCase("MACVLAN", "bond0.7", null, null, 600, "vxlan600.bond0.7")]
    [TestCase("bridge", "ens4", null, 500, null, "static.net")]
    public void Segments_are_readable(string? type, string? device, string? pool, int? vlan, int? vxlan, string name)
    {
        var segment = Segment.Of(Make(new NetworkOptions { HostDevice = device, DevicePool = pool, Vlan = vlan, Vxlan = vxlan }, type: type));

        segment.Should().Be(new Segment(name, name));
        segment.IsHashed.Should().BeFalse();
    }

    [TestCase("sriov", null, "v.io/pool", "vlan5.pool:v.io/pool")]
    [TestCase("ipvlan", "ENS4", null, "vlan5.ENS4")]
    [TestCase("ipvlan", "a_b", null, "vlan5.a_b")]
    [TestCase("ipvlan", "a-", null, "vlan5.a-")]
    public void Segments_that_make_no_object_name_are_hashed(string type, string? device, string? pool, string text)
    {
        var segment = Segment.Of(Make(new NetworkOptions { HostDevice = device, DevicePool = pool, Vlan = 5 }, type: type));

        segment.Text.Should().Be(text);
        segment.Name.Should().MatchRegex("^hash\\.[0-9a-f]{32}$");
        segment.IsHashed.Should().BeTrue();
    }

    [Test]
    public void A_segment_too_long_for_a_name_is_hashed() =>
        Segment.Of(Make(id: new string('a', 230), type: "bridge")).IsHashed.Should().BeTrue();

    [Test]
    public void A_pool_and_a_device_of_one_name_are_two_segments() =>
        Segment.Of(Make(new NetworkOptions { DevicePool = "ens4" })).Should().NotBe(Segment.Of(Make(new NetworkOptions { HostDevice = "ens4" })));

    [Test]
    public void A_segment_needs_a_device_or_a_NetworkID()
    {
        FluentActions.Invoking(() => Segment.Of(Make())).Should().Throw<NetworkFaultException>().WithMessage("*host_device*device_pool*");
        FluentActions.Invoking(() => Segment.Of(Make(id: "", type: "bridge"))).Should().Throw<NetworkFaultException>().WithMessage("spec.NetworkID*");
    }

    [TestCase(NetworkKind.ClusterNetwork, null, "any", true)]
    [TestCase(NetworkKind.ClusterNetwork, "", "any", true)]
    [TestCase(NetworkKind.ClusterNetwork, "a,b", "b", true)]
    [TestCase(NetworkKind.ClusterNetwork, "a,b", "c", false)]
    [TestCase(NetworkKind.ClusterNetwork, "a,b", "A", false)]
    [TestCase(NetworkKind.DanmNet, "a", "ns", true)]
    [TestCase(NetworkKind.TenantNetwork, null, "other", false)]
    public void Tenants(NetworkKind kind, string? tenants, string podNamespace, bool allowed)
    {
        var network = Make();
        network.Kind = kind;
        network.Spec.AllowedTenants = tenants?.Split(',', StringSplitOptions.RemoveEmptyEntries).ToList();

        TenantAccess.Allows(network, podNamespace).Should().Be(allowed);
    }

    [Test]
    public void The_default_network_is_looked_for_in_the_originals_order() =>
        DefaultNetwork.Candidates("ns").Select(candidate => candidate.ToString())
            .Should().Equal("DanmNet/ns/default", "TenantNetwork/ns/default", "ClusterNetwork/default");

    [TestCase(null, null, "", "")]
    [TestCase("10.0.0.0/24", "", "dynamic", "")]
    [TestCase("", "fd00::/64", "", "dynamic")]
    [TestCase("10.0.0.0/24", "fd00::/64", "dynamic", "dynamic")]
    public void The_default_request_asks_for_every_family_of_the_network(string? cidr, string? net6, string ip, string ip6)
    {
        var request = DefaultNetwork.RequestFor(Make(new NetworkOptions { Cidr = cidr, Net6 = net6 }));

        request.IPv4.ToString().Should().Be(ip);
        request.IPv6.ToString().Should().Be(ip6);
        request.Position.Should().Be(0);
    }

    [Test]
    public void An_endpoint_id_is_a_UUIDv8_of_its_three_parts()
    {
        var id = EndpointId.For("uid", "container", "eth0");

        id.Should().MatchRegex("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$");
        EndpointId.For("uid", "container", "eth0").Should().Be(id);
        new[] { EndpointId.For("ui", "dcontainer", "eth0"), EndpointId.For("uid", "container", "eth1"), id }.Should().OnlyHaveUniqueItems();
    }

    [TestCase(0, "prefix", false, "eth0")]
    [TestCase(1, null, false, "eth1")]
    [TestCase(2, "ext", false, "ext2")]
    [TestCase(2, "ext", true, "ext")]
    [TestCase(2, "", true, "eth2")]
    [TestCase(9, "abcdefghijklmn", false, "abcdefghijklmn9")]
    public void Interface_names(int position, string? prefix, bool legacy, string name) =>
        InterfaceName.For(position, Make(new NetworkOptions { ContainerPrefix = prefix }), "eth0", legacy).Should().Be(name);

    [TestCase(10, "abcdefghijklmn", false)]
    [TestCase(1, "a/b", false)]
    [TestCase(1, "..", true)]
    [TestCase(1, "all", true)]
    [TestCase(1, "äöüäöüä", false)]
    public void Interface_names_that_cannot_be_name_the_network(int position, string prefix, bool legacy) =>
        FluentActions.Invoking(() => InterfaceName.For(position, Make(new NetworkOptions { ContainerPrefix = prefix }), "eth0", legacy))
            .Should().Throw<NetworkFaultException>().WithMessage("DanmNet/ns/n spec.Options.container_prefix*");

    [Test]
    public void Interface_names_do_not_repeat()
    {
        Network[] networks = [Make(), Make(new NetworkOptions { ContainerPrefix = "ext" }), Make(new NetworkOptions { ContainerPrefix = "ext" }, name: "m")];

        InterfaceName.ForAll(networks, "eth0", legacy: false).Should().Equal("eth0", "ext1", "ext2");
        FluentActions.Invoking(() => InterfaceName.ForAll(networks, "eth0", legacy: true))
            .Should().Throw<NetworkFaultException>().WithMessage("DanmNet/ns/m*interface 2 'ext'*interface 1 of DanmNet/ns/n*");
    }
}
