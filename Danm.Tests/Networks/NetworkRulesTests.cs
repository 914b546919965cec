using Danm.Api;
using Danm.Networks;

namespace Danm.Tests.Networks;

public sealed class NetworkRulesTests
{
    [Test]
    public void A_sound_network_has_no_faults()
    {
        NetworkRules.Check(NetworkTests.Make()).Should().BeEmpty();
        NetworkRules.Check(new Network()).Should().BeEmpty();
        NetworkRules.Check(NetworkTests.Make(new NetworkOptions
        {
            HostDevice = "bond0.7",
            Vlan = 4094,
            Vxlan = 0,
            Mtu = 9000,
            RoutingTable = uint.MaxValue,
            ContainerPrefix = "ext_",
            Cidr = "10.0.0.0/24",
            Routes = new() { ["10.1.0.0/16"] = "10.0.0.1", ["0.0.0.0/0"] = "10.0.0.1" },
            Net6 = "fd00::/64",
            Routes6 = new() { ["::/0"] = "fd00::1" },
        })).Should().BeEmpty();
        NetworkRules.Check(NetworkTests.Make(new NetworkOptions { DevicePool = "nokia.k8s.io/sriov_ens1f0" }, type: "sriov")).Should().BeEmpty();
    }

    [TestCase("../etc")]
    [TestCase("a/b")]
    [TestCase("a..b")]
    [TestCase(".a")]
    [TestCase("-a")]
    [TestCase("a b")]
    [TestCase("a\n")]
    [TestCase("ä")]
    public void Names_that_lead_elsewhere_are_faults_in_every_field(string name)
    {
        var faults = NetworkRules.Check(NetworkTests.Make(
            new NetworkOptions { HostDevice = name, ContainerPrefix = name, DevicePool = name == "a/b" ? "/" : name }, name, name));

        faults.Select(fault => fault.Field).Should().BeEquivalentTo(
            "spec.NetworkID", "spec.NetworkType", "spec.Options.host_device", "spec.Options.container_prefix", "spec.Options.device_pool");
        faults.Should().OnlyContain(fault => fault.Message.Contains("at most"));
    }

    [TestCase(-1)]
    [TestCase(4095)]
    public void A_vlan_is_1_to_4094(int vlan) =>
        Only(new NetworkOptions { Vlan = vlan }).Should().Be($"spec.Options.vlan: \"{vlan}\" must be 1 to 4094");

    [TestCase(-1)]
    [TestCase(16777215)]
    public void A_vxlan_is_1_to_16777214(int vxlan) =>
        Only(new NetworkOptions { Vxlan = vxlan }).Should().Be($"spec.Options.vxlan: \"{vxlan}\" must be 1 to 16777214");

    [Test]
    public void Vlan_and_vxlan_exclude_each_other() =>
        Only(new NetworkOptions { Vlan = 5, Vxlan = 6 }).Should().Be("spec.Options.vxlan: \"6\" cannot stand beside vlan 5: remove one of them");

    [TestCase(67, null, "must be 68 to 65535")]
    [TestCase(65536, null, "must be 68 to 65535")]
    [TestCase(1279, "fd00::/64", "must be 1280 to 65535")]
    public void Mtu_has_a_range(int mtu, string? net6, string message) =>
        Only(new NetworkOptions { Mtu = mtu, Net6 = net6 }).Should().EndWith(message);

    [TestCase("10.0.0.0")]
    [TestCase("10.0.0.0/33")]
    [TestCase("10.0/16")]
    [TestCase("fd00::/64")]
    [TestCase("x")]
    public void A_cidr_is_an_IPv4_subnet(string cidr) =>
        Only(new NetworkOptions { Cidr = cidr }).Should().Be($"spec.Options.cidr: \"{cidr}\" must be an IPv4 subnet such as 10.0.0.0/24");

    [TestCase("10.1.0.0/16", "10.0.1.1", "spec.Options.routes[10.1.0.0/16]: \"10.0.1.1\" must lie inside 10.0.0.0/24")]
    [TestCase("10.1.0.0/16", "gw", "spec.Options.routes[10.1.0.0/16]: \"gw\" must be an IPv4 address")]
    [TestCase("10.1.0.0", "10.0.0.1", "spec.Options.routes: \"10.1.0.0\" must be an IPv4 subnet such as 10.0.0.0/24")]
    [TestCase("fd00::/64", "10.0.0.1", "spec.Options.routes: \"fd00::/64\" must be an IPv4 subnet such as 10.0.0.0/24")]
    public void Routes_must_be_usable(string destination, string gateway, string message) =>
        Only(new NetworkOptions { Cidr = "10.0.0.0/24", Routes = new() { [destination] = gateway } }).Should().Be(message);

    [TestCase(256, 0)]
    [TestCase(257, 1)]
    public void Routes_are_bounded(int count, int faults) =>
        NetworkRules.Check(NetworkTests.Make(new NetworkOptions
        {
            Cidr = "10.0.0.0/24",
            Routes = Enumerable.Range(0, count).ToDictionary(index => $"10.{index / 256}.{index % 256}.0/24", _ => "10.0.0.1"),
        })).Should().HaveCount(faults);

    [Test]
    public void All_faults_come_at_once() =>
        NetworkRules.Check(NetworkTests.Make(new NetworkOptions { Vlan = 5000, Cidr = "x", Net6 = "y", Routes6 = new() { ["z"] = null! } }, "a/b"))
            .Should().HaveCount(5);

    private static string Only(NetworkOptions options) =>
        NetworkRules.Check(NetworkTests.Make(options)).Should().ContainSingle().Subject.ToString();
}
