using Danm.Tests.EndToEnd.Runtime.Cri;
using Grpc.Core;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>Pods that containerd starts and stops.</summary>
public sealed class SandboxTests : RuntimeFixture
{
    [Test]
    public async Task The_status_has_the_addresses_of_the_first_interface_only()
    {
        var pod = Node.Server.Store.Create(Objects.Pod("a", """[{"network":"mv","ip":"10.1.0.9","ip6":"fd01::9"},{"network":"br"}]"""));

        var id = await Runtime.RunAsync(pod);

        var status = await Runtime.StatusAsync(id);
        status.State.Should().Be(PodSandboxState.SandboxReady);
        status.Network.Ip.Should().Be("10.1.0.9");
        status.Network.AdditionalIps.Select(i => i.Ip).Should().Equal("fd01::9");
        (await Runtime.InSandboxAsync(id, "ip -br address")).Should().MatchRegex(@"eth0@\S+ .*10\.1\.0\.9/24 fd01::9/64").And.MatchRegex(@"eth1@\S+ .*10\.7\.0\.2/24");
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["CID"]!).Should().Equal(id, id);
        await Runtime.RemoveAllAsync();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task Sandboxes_reach_each_other_over_both_interfaces()
    {
        const string Interfaces = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"},{"network":"br"}]""";
        var one = await Runtime.RunAsync(Node.Server.Store.Create(Objects.Pod("one", Interfaces)));
        var two = await Runtime.RunAsync(Node.Server.Store.Create(Objects.Pod("two", Interfaces)));

        var network = (await Runtime.StatusAsync(two)).Network;
        var eth1 = (await Runtime.InSandboxAsync(two, "ip -br address show dev eth1")).Split(' ', '/').First(w => w.StartsWith("10.7.0.", StringComparison.Ordinal));
        foreach (var address in (string[])[network.Ip, network.AdditionalIps.Single().Ip, eth1])
            await Runtime.InSandboxAsync(one, $"ping -c 1 -W 5 {address}");
    }

    [Test]
    public async Task Stopping_and_removing_twice_is_fine()
    {
        var id = await Runtime.RunAsync(Node.Server.Store.Create(Objects.Pod("a", """[{"network":"mv","ip":"dynamic"},{"network":"br"}]""")));

        await Runtime.StopAsync(id);

        Node.Objects().Should().BeEmpty();
        (await Runtime.StatusAsync(id)).State.Should().Be(PodSandboxState.SandboxNotready);
        await Runtime.StopAsync(id);
        await Runtime.RemoveAsync(id);
        await Runtime.RemoveAsync(id);
        await ExpectNothingLeftAsync();
    }

    [TestCase("""[{"network":"mv","ip":"dynamic"},{"network":"absent"}]""", "DanmNet/default/absent")]
    [TestCase("""[{"network":"mv","ip":"192.0.2.1"}]""", "192.0.2.1")]
    public async Task An_error_reaches_whoever_asked_for_the_Pod_and_nothing_is_left(string interfaces, string expected)
    {
        var pod = Node.Server.Store.Create(Objects.Pod("a", interfaces));

        var run = () => Runtime.RunAsync(pod);

        (await run.Should().ThrowAsync<RpcException>()).Which.Status.Detail.Should().Contain(expected);
        Node.Objects().Should().BeEmpty();
        await Runtime.RemoveAllAsync();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task The_ports_that_a_Pod_asks_for_reach_portmap_behind_its_first_network()
    {
        var pod = Node.Server.Store.Create(Objects.Pod("a", """[{"network":"ports"},{"network":"mv","ip":"dynamic"}]"""));

        await Runtime.RunAsync(pod, ports: new PortMapping { HostPort = 8080, ContainerPort = 80 });

        (await RulesAsync()).Should().Contain("8080");
        await Runtime.RemoveAllAsync();
        (await RulesAsync()).Should().NotContain("8080");
        await ExpectNothingLeftAsync();

        Task<string> RulesAsync() => Node.ShellAsync("iptables-save -t nat");
    }

    [Test]
    public async Task The_next_sandbox_of_a_Pod_has_its_address_and_keeps_it_when_the_first_is_removed()
    {
        var pod = Node.Server.Store.Create(Objects.Pod("a", """[{"network":"mv","ip":"10.1.0.9"},{"network":"br"}]"""));
        var first = await Runtime.RunAsync(pod);
        await Runtime.StopAsync(first);

        var second = await Runtime.RunAsync(pod, attempt: 1);
        await Runtime.RemoveAsync(first);

        (await Runtime.StatusAsync(second)).Network.Ip.Should().Be("10.1.0.9");
        Node.Objects("IPAllocation").Should().ContainSingle();
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["CID"]!).Should().Equal(second, second);
        (await Runtime.InSandboxAsync(second, "ip -br address show dev eth0")).Should().Contain("10.1.0.9/24");
        await Runtime.RemoveAllAsync();
        await ExpectNothingLeftAsync();
    }
}
