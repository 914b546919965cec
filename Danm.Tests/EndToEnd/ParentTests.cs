namespace Danm.Tests.EndToEnd;

/// <summary>The host's VLAN and VxLAN interfaces that ADD finds, makes or refuses.</summary>
[TestFixture, Parallelizable]
public sealed class ParentTests : GuestFixture
{
    [Test]
    public async Task Missing_ones_are_made_once_however_many_ask_at_once()
    {
        Network("ClusterNetwork", "vl", """{"vlan":500,"cidr":"10.50.0.0/24"}""");
        Network("ClusterNetwork", "vx", """{"vxlan":600,"cidr":"10.51.0.0/24"}""");
        const string Interfaces = """[{"clusterNetwork":"vl","ip":"dynamic"},{"clusterNetwork":"vx","ip":"dynamic"}]""";
        var pods = await Node.StartPodsAsync(Enumerable.Range(0, 4).Select(i => Objects.Pod($"parents-{i}", Interfaces)));

        foreach (var add in await Node.CallAllAsync([.. pods.Select(p => p.Call("ADD"))]))
            add.Succeeded();

        (await HostAsync("ip -d -o link show vl.500")).Should().Contain("vl.500@parent0").And.Contain("vlan protocol 802.1Q id 500").And.Contain("alias danm:")
            .And.Contain("mtu 1400").And.Contain("LOWER_UP");
        (await HostAsync("ip -d -o link show vx_vx")).Should().Contain("vxlan id 600").And.Contain("group 239.0.2.88").And.Contain("local 198.51.100.1")
            .And.Contain("dev parent0").And.Contain("dstport 4789").And.Contain("l2miss l3miss").And.NotContain("nolearning").And.Contain("alias danm:").And.Contain("mtu 1350");
        (await pods[0].RunAsync("ip -o link show eth1")).Should().Contain("mtu 1350");
        (await pods[0].RunAsync("ping -c 1 -W 5 $(ip -n " + pods[1].NetnsName + " -4 -o address show dev eth1 | awk '{print $4}' | cut -d/ -f1)")).Should().Contain("1 received");
        foreach (var del in await Node.CallAllAsync([.. pods.Select(p => p.Call("DEL"))]))
            del.Succeeded();
    }

    [TestCase("link parent0 name fit.510 type vlan id 510", "vlan", 510)]
    [TestCase("name vx_fit type vxlan id 610 dev parent0 dstport 4789 group 239.0.2.98", "vxlan", 610)]
    public async Task One_that_fits_is_used_as_it_is(string made, string kind, int vni)
    {
        await HostAsync($"ip link add {made} && ip link set {(kind == "vlan" ? "fit.510" : "vx_fit")} up");
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", $"fit-{kind}", $$$"""
            {"NetworkID":"fit","Options":{"host_device":"parent0","{{{kind}}}":{{{vni}}},"cidr":"10.52.0.0/24"}}
            """));
        var before = await LinksAsync();
        var pod = await AddAsync($"fit-{kind}", $$"""[{"clusterNetwork":"fit-{{kind}}","ip":"dynamic"}]""");
        (await LinksAsync()).Should().Be(before).And.NotContain("alias danm:fit");
        (await pod.DelAsync()).Succeeded();
    }

    [TestCase("link parent0 name stale.500 type vlan id 501", "vlan", 500, TestName = "Of_another_VLAN_id")]
    [TestCase("link vec0 name stale.500 type vlan id 500", "vlan", 500, TestName = "On_another_device")]
    [TestCase("name stale.500 type dummy", "vlan", 500, TestName = "Of_another_kind")]
    [TestCase("name vx_stale type vxlan id 601 dev parent0 dstport 4789", "vxlan", 600, TestName = "Of_another_VxLAN_id")]
    [TestCase("name vx_stale type vxlan id 600 dev vec0 dstport 4789", "vxlan", 600, TestName = "On_another_underlay")]
    public async Task One_that_differs_is_an_error_and_stays_as_it_is(string made, string kind, int vni)
    {
        await HostAsync($"ip link add {made}");
        var name = kind == "vlan" ? "stale.500" : "vx_stale";
        var network = $"stale-{Math.Abs(made.GetHashCode())}";
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", network, $$$"""
            {"NetworkID":"stale","Options":{"host_device":"parent0","{{{kind}}}":{{{vni}}},"cidr":"10.53.0.0/24"}}
            """));
        var before = await LinksAsync();
        Node.Server.Requests.Clear();
        var pod = await PodAsync(network, $$"""[{"clusterNetwork":"{{network}}","ip":"dynamic"}]""");

        (await pod.AddAsync()).Failed(108).Msg.Should().Contain($"\"{name}\"").And.Contain(vni.ToString()).And.Contain($"ClusterNetwork/{network}");

        Node.Server.Requests.Count("create").Should().Be(0);
        (await LinksAsync()).Should().Be(before);
        await HostAsync($"ip link delete {name}");
    }

    [Test]
    public async Task A_missing_host_device_is_an_error()
    {
        Network("ClusterNetwork", "nodev", """{"host_device":"absent0","vlan":7,"cidr":"10.54.0.0/24"}""");
        var pod = await PodAsync("nodev", """[{"clusterNetwork":"nodev","ip":"dynamic"}]""");
        (await pod.AddAsync()).Failed(108).Msg.Should().Contain("absent0").And.Contain("ClusterNetwork/nodev");
    }

    private Task<string> LinksAsync() => HostAsync("ip -d -o link show");
}
