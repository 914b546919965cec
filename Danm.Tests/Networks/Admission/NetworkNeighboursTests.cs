using Danm.Api;
using Danm.Networks.Admission;

namespace Danm.Tests.Networks.Admission;

public sealed class NetworkNeighboursTests
{
    private const string Mine = """{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","net6":"fd00::/64"}}""";

    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.128/25"}}""",
        "spec.Options.cidr 10.0.0.0/24 overlaps 10.0.0.128/25 of ClusterNetwork/other on the same segment \"vlan500.ens4\"")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/8"}}""", "*overlaps 10.0.0.0/8 of*")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"net6":"fd00::/120"}}""", "spec.Options.net6 fd00::/64 overlaps fd00::/120 of*")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.9/24"}}""",
        "spec.Options.cidr 10.0.0.0/24 is that of ClusterNetwork/other on the same segment \"vlan500.ens4\", and the pools overlap")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.100"}}}""",
        TestName = "Equal subnets with disjoint pools")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.99"}}}""", "*pools overlap")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.0","end":"10.0.0.1"}}}""", "*pools overlap")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.0","end":"10.0.0.0"}}}""",
        TestName = "Equal subnets with disjoint pools, the other one first")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.1.0/24","net6":"fd01::/64"}}""", TestName = "Other subnets on the segment")]
    [TestCase("""{"NetworkID":"m","Options":{"host_device":"ens4","vlan":501,"cidr":"10.0.0.0/24"}}""", TestName = "The subnet on another segment")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"x"}}""", TestName = "A broken subnet")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","allocation_pool":{"start":"x"}}}""", TestName = "A broken pool")]
    [TestCase("""{"NetworkID":"a\u0007","NetworkType":"../x","Options":{"device_pool":"\u001b","vxlan":-7}}""", TestName = "Nothing but broken")]
    public void Subnets_of_one_segment(string other, params string[] warnings)
    {
        var mine = RuleCase.Make(NetworkKind.ClusterNetwork, Mine);
        mine.Spec.Options.AllocationPool = new AllocationPool { Start = "10.0.0.1", End = "10.0.0.99" };

        Match(mine, [RuleCase.Make(NetworkKind.ClusterNetwork, other, "other")], warnings);
    }

    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"net","Options":{"host_device":"ens5","vlan":500}}""",
        "the host interface net.500 (vlan 500 on ens4) is wanted otherwise (vlan 500 on ens5) by ClusterNetwork/other*")]
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"net","Options":{"host_device":"ens4","vlan":500}}""", TestName = "The same interface, shared")]
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"net","Options":{"host_device":"ens4","vlan":501}}""", TestName = "Another VLAN has another name")]
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"net","Options":{"host_device":"ens4","vxlan":500}}""", TestName = "A VxLAN has another name")]
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"m","Options":{"host_device":"net.500"}}""", TestName = "A network on top of the interface")]
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"m","Options":{"host_device":"ens4","vlan":500}}""", TestName = "A VNI shared by administrators")]
    [TestCase(NetworkKind.TenantNetwork, """{"NetworkID":"m","Options":{"host_device":"ens4","vlan":500}}""", "vlan 500 on \"ens4\" is also that of TenantNetwork/ns/other: *")]
    [TestCase(NetworkKind.TenantNetwork, """{"NetworkID":"m","Options":{"host_device":"ens5","vlan":500}}""", TestName = "The VNI on another device")]
    [TestCase(NetworkKind.TenantNetwork, """{"NetworkID":"m","Options":{"host_device":"ens4","vxlan":500}}""", TestName = "The number as a VxLAN")]
    public void Interfaces_and_VNIs(NetworkKind kind, string other, params string[] warnings) =>
        Match(RuleCase.Make(NetworkKind.ClusterNetwork, Mine), [RuleCase.Make(kind, other, "other")], warnings);

    [Test]
    public void VxLANs_of_one_NetworkID_have_one_name() =>
        Match(
            RuleCase.Make(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"host_device":"ens4","vxlan":600}}"""),
            [RuleCase.Make(NetworkKind.ClusterNetwork, """{"NetworkID":"net","Options":{"host_device":"ens4","vxlan":601}}""", "other")],
            "the host interface vx_net (vxlan 600 on ens4) is wanted otherwise (vxlan 601 on ens4) by ClusterNetwork/other: nodes will have only one of them");

    [Test]
    public void A_VLAN_may_be_called_as_a_VxLAN_is() =>
        Match(
            RuleCase.Make(NetworkKind.DanmNet, """{"NetworkID":"vx_a","Options":{"host_device":"ens4","vlan":5}}"""),
            [RuleCase.Make(NetworkKind.ClusterNetwork, """{"NetworkID":"a.5","Options":{"host_device":"ens4","vxlan":5}}""", "other")],
            "the host interface vx_a.5 (vlan 5 on ens4) is wanted otherwise (vxlan 5 on ens4) by ClusterNetwork/other*");

    [Test]
    public void A_tenant_hears_of_an_administrators_VNI_and_of_none_of_other_namespaces_names()
    {
        var mine = RuleCase.Make(NetworkKind.TenantNetwork, """{"NetworkID":"m","Options":{"host_device":"ens4","vlan":500}}""");
        var theirs = RuleCase.Make(NetworkKind.DanmNet, Mine, "secret");
        theirs.Metadata.Namespace = "elsewhere";

        Match(mine, [RuleCase.Make(NetworkKind.ClusterNetwork, Mine, "other"), theirs],
            "vlan 500 on \"ens4\" is also that of ClusterNetwork/other: *", "vlan 500 on \"ens4\" is also that of a DanmNet of another namespace: *");
    }

    [TestCase("""{"NetworkID":"x","Options":{"host_device":"ens4","cidr":"10.0.0.128/25"}}""", "spec.Options.cidr 10.0.0.0/24 overlaps that of a TenantNetwork of another namespace on the same segment \"untagged.ens4\"")]
    [TestCase("""{"NetworkID":"x","Options":{"host_device":"ens4","net6":"fd00::/120"}}""", "spec.Options.net6 fd00::/64 overlaps that of a TenantNetwork of another namespace on the same segment \"untagged.ens4\"")]
    public void Of_another_namespaces_network_no_subnet_is_told(string other, string warning)
    {
        var mine = RuleCase.Make(NetworkKind.TenantNetwork, """{"NetworkID":"m","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","net6":"fd00::/64"}}""");
        var theirs = RuleCase.Make(NetworkKind.TenantNetwork, other, "secret");
        theirs.Metadata.Namespace = "elsewhere";

        NetworkNeighbours.Warnings(mine, [theirs]).Should().Equal(warning);
    }

    [Test]
    public void Nor_is_its_device_or_VNI()
    {
        var mine = RuleCase.Make(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"host_device":"ens4","vxlan":600}}""");
        var theirs = RuleCase.Make(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"host_device":"ens5","vxlan":601}}""", "secret");
        theirs.Metadata.Namespace = "elsewhere";

        NetworkNeighbours.Warnings(mine, [theirs]).Should().Equal("the host interface vx_net (vxlan 600 on ens4) is wanted otherwise by a DanmNet of another namespace: nodes will have only one of them");
    }

    [Test]
    public void A_network_is_not_its_own_neighbour()
    {
        var namesake = RuleCase.Make(NetworkKind.DanmNet, Mine);
        namesake.Metadata.Namespace = "elsewhere";

        Match(RuleCase.Make(NetworkKind.DanmNet, Mine), [RuleCase.Make(NetworkKind.DanmNet, Mine)]);
        Match(RuleCase.Make(NetworkKind.DanmNet, Mine), [RuleCase.Make(NetworkKind.ClusterNetwork, Mine)], "*cidr*", "*net6*");
        Match(RuleCase.Make(NetworkKind.DanmNet, Mine), [namesake], "*cidr*", "*net6*");
    }

    [Test]
    public void Many_neighbours_are_counted()
    {
        var others = Enumerable.Range(0, 5000).Select(index => RuleCase.Make(NetworkKind.ClusterNetwork, Mine, $"n{index}"));

        var warnings = NetworkNeighbours.Warnings(RuleCase.Make(NetworkKind.DanmNet, Mine), others);

        warnings.Should().HaveCount(11);
        warnings[^1].Should().Be("and 9990 more");
    }

    [Test]
    public void A_broken_network_has_no_neighbours() =>
        Match(RuleCase.Make(NetworkKind.DanmNet, """{"NetworkID":"../x","Options":{"vlan":5,"cidr":"x","net6":"fd00::/999"}}"""), [RuleCase.Make(NetworkKind.DanmNet, Mine, "other")]);

    private static void Match(Network network, IEnumerable<Network> others, params string[] patterns)
    {
        var warnings = NetworkNeighbours.Warnings(network, others);

        warnings.Should().HaveCount(patterns.Length, string.Join('\n', warnings));
        foreach (var (warning, pattern) in warnings.Zip(patterns))
            warning.Should().Match(pattern);
    }
}
