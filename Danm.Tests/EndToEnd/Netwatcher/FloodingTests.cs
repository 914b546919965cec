using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>
/// Two nodes, each a network namespace with a netwatcher of its own, on one wire: what goes over the VxLAN between them. The second is a
/// namespace of the first one's world, behind a port of its bridge.
/// </summary>
[TestFixture, Parallelizable]
public sealed class FloodingTests : NetwatcherFixture
{
    private const string Network = """{"NetworkID":"one","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":600,"cidr":"10.60.0.0/24"}}""";

    [SetUp]
    public async Task Wire()
    {
        await Node.ShellAsync("""
            for l in $(ip -o link show type vxlan | cut -d: -f2); do ip link delete $l; done
            ip link delete port2 2>/dev/null || true
            ip address replace 192.0.2.1/24 dev parent0
            ip netns add node-2
            ip link add port2 type veth peer name parent0 netns node-2
            ip link set port2 master parent0 up
            ip -n node-2 link set lo up
            ip -n node-2 link set parent0 up
            ip -n node-2 address add 192.0.2.2/24 dev parent0
            """);
        Node.Server.Store.Create(Objects.Node("node-2"));
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Network));
    }

    [TearDown]
    public void Nodes()
    {
        foreach (var name in Node.Server.Store.List("v1", "Node").Select(n => n.At("metadata", "name").String()!).Where(n => n != "node-1"))
            Node.Server.Store.Delete("v1", "Node", null, name);
    }

    [TestCase("multicast")]
    [TestCase("unicast")]
    public async Task Pods_reach_each_other(string flooding)
    {
        await using var first = StartFirst(flooding);
        await using var second = StartSecond(flooding);
        await Node.EventuallyAsync("ip -o link show vx_one; ip -n node-2 -o link show vx_one", t => t.Should().NotContain("not exist"));
        var pod = await Node.StartPodAsync(Objects.Pod("pod", """[{"clusterNetwork":"one","ip":"10.60.0.10"}]"""));
        (await Node.CallAsync(pod.Call("ADD"))).Succeeded();
        await Node.ShellAsync("""
            ip netns add there
            ip -n node-2 link add eth0 link vx_one type macvlan mode bridge
            ip -n node-2 link set eth0 netns there
            ip -n there link set eth0 up
            ip -n there address add 10.60.0.20/24 dev eth0
            """);

        await Node.EventuallyAsync("ip netns exec there ping -c 1 -W 1 10.60.0.10", t => t.Should().Contain("1 received"), seconds: 30);

        (await Node.ShellAsync("ip netns exec there ping -c 2 -W 2 10.60.0.10")).Should().Contain("2 received");
        (await Node.ShellAsync("ip -d -o link show vx_one")).Contains("group 239.0.2.88", StringComparison.Ordinal).Should().Be(flooding == "multicast");
    }

    [Test]
    public async Task Nodes_that_come_and_go_are_flooded_to_and_not_any_more()
    {
        await using var first = StartFirst("unicast");
        await using (var second = StartSecond("unicast"))
        {
            await Node.EventuallyAsync("bridge fdb show dev vx_one", t => t.Should().Contain("00:00:00:00:00:00 dst 192.0.2.2"));
            await Node.EventuallyAsync("ip netns exec node-2 bridge fdb show dev vx_one", t => t.Should().Contain("00:00:00:00:00:00 dst 192.0.2.1"));
            Annotation("node-2").Should().Be("""{"parent0":"192.0.2.2"}""");
        }

        // What a Node says is foreign text.
        Node.Server.Store.Create(Objects.Node("node-3"));
        Annotate("node-3", """{"parent0":"192.0.2.3","other0":"192.0.2.99"}""");
        Node.Server.Store.Create(Objects.Node("node-4"));
        Annotate("node-4", """{"parent0":"239.1.1.1"}""");
        Node.Server.Store.Create(Objects.Node("node-5"));
        Annotate("node-5", "[no JSON");
        await Node.EventuallyAsync("bridge fdb show dev vx_one", t => t.Should().Contain("dst 192.0.2.3"));
        Node.Server.Store.Delete("v1", "Node", null, "node-2");

        await Node.EventuallyAsync("bridge fdb show dev vx_one | grep ^00:00:00:00:00:00", t => t.Should().NotContain("192.0.2.2 ").And.Contain("dst 192.0.2.3").And.NotContain("192.0.2.99").And.NotContain("239.1.1.1"));
        (await first.StopAsync()).Should().Be(0, first.Log);
        (await Node.ShellAsync("bridge fdb show dev vx_one")).Should().Contain("dst 192.0.2.3", "what is there stays when netwatcher goes");
    }

    [Test]
    public async Task A_VxLAN_that_was_made_for_multicast_floods_to_the_nodes_when_that_is_asked_for()
    {
        await Node.ShellAsync($"{DanmBinary.Path} netwatcher --once --kubeconfig {Kubeconfig} --node-name node-1");
        (await Node.ShellAsync("bridge fdb show dev vx_one")).Should().Contain("dst 239.0.2.88");
        Annotate("node-2", """{"parent0":"192.0.2.2"}""");

        await using var first = StartFirst("unicast");

        await Node.EventuallyAsync("bridge fdb show dev vx_one", t => t.Should().Contain("dst 192.0.2.2").And.NotContain("239.0.2.88"));
    }

    private NetwatcherProcess StartFirst(string flooding) => Start("--vxlan-flooding", flooding);

    private NetwatcherProcess StartSecond(string flooding)
    {
        var kubeconfig = Node.WriteFile("second", KubeconfigOf("node-2")
            .Replace("127.0.0.1", "192.0.2.1", StringComparison.Ordinal).Replace("\"server\":", "\"tls-server-name\":\"localhost\",\"server\":", StringComparison.Ordinal));
        return NetwatcherProcess.Start([.. Node.Enter, "ip", "netns", "exec", "node-2"], "--kubeconfig", kubeconfig, "--node-name", "node-2", "--vxlan-flooding", flooding);
    }

    private string? Annotation(string node) => Node.Server.Store.Get("v1", "Node", null, node).At("metadata", "annotations", "danm.io/tunnel-endpoints").String();

    private void Annotate(string name, string value)
    {
        var node = (JsonObject)Node.Server.Store.Get("v1", "Node", null, name)!.DeepClone();
        node["metadata"]!["annotations"] = new JsonObject { ["danm.io/tunnel-endpoints"] = value };
        Node.Server.Store.Update(node);
    }
}
