using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>As many processes at once as a pool has addresses.</summary>
[TestFixture, Parallelizable]
public sealed class RaceTests
{
    private const int Pods = 50;

    private GuestNode node = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        node = await GuestNode.StartAsync();
        node.Server.Store.Create(Objects.Network("ClusterNetwork", "race", """
            {"NetworkID":"race","Options":{"host_device":"parent0","vlan":77,"cidr":"10.7.0.0/26","allocation_pool":{"start":"10.7.0.5","end":"10.7.0.54"}}}
            """));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    [Test]
    public async Task Fifty_ADDs_at_once_share_a_pool_of_fifty_addresses_and_fifty_DELs_leave_nothing()
    {
        var pods = await node.StartPodsAsync(Enumerable.Range(0, Pods).Select(i => Objects.Pod($"race-{i}", Interfaces)));

        var adds = await node.CallAllAsync([.. pods.Select(p => p.Call("ADD"))]);

        adds.Select(a => (string)a.Succeeded().Json["ips"]![0]!["address"]!).Should()
            .BeEquivalentTo(Enumerable.Range(5, Pods).Select(i => $"10.7.0.{i}/26"));
        node.Objects("IPAllocation").Should().HaveCount(Pods);
        node.Objects("DanmEp").Should().HaveCount(Pods);
        (await node.JournalsAsync("sandboxes")).Should().HaveCount(Pods);
        (await node.Guest.ExpectAsync("ip -d -o link show race.77")).Should().Contain("vlan protocol 802.1Q id 77");

        await Expect_a_further_one_to_name_network_and_pool();

        foreach (var del in await node.CallAllAsync([.. pods.Select(p => p.Call("DEL"))]))
            del.Succeeded();
        await node.ExpectNothingLeftAsync();
    }

    private const string Interfaces = """[{"clusterNetwork":"race","ip":"dynamic"}]""";

    private async Task Expect_a_further_one_to_name_network_and_pool()
    {
        var further = await node.StartPodAsync(Objects.Pod("race-too-many", Interfaces));
        (await further.AddAsync()).Failed(104).Msg.Should().Contain("ClusterNetwork/race").And.Contain("10.7.0.5-10.7.0.54");
        node.Objects("IPAllocation").Should().HaveCount(Pods);
        (await further.RunAsync("ip -o link show type ipvlan")).Should().BeEmpty();
        (await further.DelAsync()).Succeeded();
        (await node.JournalsAsync("*")).Should().HaveCount(Pods);
    }
}
