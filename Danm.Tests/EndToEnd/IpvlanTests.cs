using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>ADD, CHECK and DEL of ipvlan networks by the published executable, on a kernel that has them.</summary>
[TestFixture]
public sealed class IpvlanTests
{
    private GuestNode node = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        node = await GuestNode.StartAsync();
        node.Server.Store.Create(Objects.Network("DanmNet", "dual", """
            {"NetworkID":"dual","NetworkType":"ipvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd00:1::/64",
             "routes":{"10.50.0.0/16":"10.1.0.254"},"routes6":{"fd00:50::/64":"fd00:1::fe"},"container_prefix":"net"}}
            """));
        node.Server.Store.Create(Objects.Network("ClusterNetwork", "policy", """
            {"NetworkID":"policy","NetworkType":"ipvlan","Options":{"host_device":"parent0","vlan":500,"cidr":"10.2.0.0/24","rt_tables":300,"container_prefix":"pol"}}
            """));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    [Test]
    public async Task Two_Pods_of_two_networks_ping_each_other_and_leave_nothing()
    {
        var pods = new List<Sandbox>();
        for (var i = 0; i < 2; i++)
        {
            pods.Add(await node.StartPodAsync(Objects.Pod($"pod-{i}", $$$"""
                [{"network":"dual","ip":"dynamic","ip6":"dynamic"},
                 {"clusterNetwork":"policy","ip":"10.2.0.{{{10 + i}}}","proutes":{"10.60.0.0/16":"10.2.0.254"}}]
                """)));
        }

        var results = await Task.WhenAll(pods.Select(p => p.AddAsync()));
        foreach (var (pod, i) in pods.Select((p, i) => (p, i)))
        {
            var json = results[i].Succeeded().Json;
            json["interfaces"]!.AsArray().Select(x => (string)x!["name"]!).Should().Equal("eth0", "pol1");
            json["interfaces"]!.AsArray().Select(x => (string)x!["sandbox"]!).Should().AllBe(pod.Netns);
            json["ips"]!.AsArray().Should().HaveCount(3);
            (await pod.RunAsync("ip -o address show dev pol1")).Should().Contain($"10.2.0.{10 + i}/24").And.NotContain("inet6");
            (await pod.RunAsync("ip route show dev eth0")).Should().Contain("10.50.0.0/16 via 10.1.0.254");
            (await pod.RunAsync("ip -6 route show dev eth0")).Should().Contain("fd00:50::/64 via fd00:1::fe");
            (await pod.RunAsync("ip rule")).Should().Contain($"from 10.2.0.{10 + i} lookup 300");
            (await pod.RunAsync("ip route show table 300")).Should().Contain("10.60.0.0/16 via 10.2.0.254 dev pol1");
            (await pod.CheckAsync()).Succeeded();
        }

        node.Objects("IPAllocation").Should().HaveCount(6);
        node.Objects("DanmEp").Should().HaveCount(4);
        foreach (var ip in results[1].Json["ips"]!.AsArray().Select(x => ((string)x!["address"]!).Split('/')[0]))
            (await pods[0].RunAsync($"ping -c 1 -W 5 {ip}")).Should().Contain("1 received");
        (await node.Guest.ExpectAsync("ip -d -o link show policy.500")).Should().Contain("vlan protocol 802.1Q id 500").And.Contain("alias danm:");

        foreach (var pod in pods)
        {
            (await pod.DelAsync()).Succeeded().Stdout.Should().BeEmpty();
            (await pod.DelAsync()).Succeeded();
        }

        await node.ExpectNothingLeftAsync();
    }
}
