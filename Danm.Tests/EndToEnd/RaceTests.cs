namespace Danm.Tests.EndToEnd;

/// <summary>As many processes at once as a pool has addresses.</summary>
[TestFixture, Parallelizable]
public sealed class RaceTests : GuestFixture
{
    private const int Pods = 50;
    private const string Interfaces = """[{"clusterNetwork":"race","ip":"dynamic"}]""";

    [Test]
    public async Task Fifty_ADDs_at_once_share_a_pool_of_fifty_addresses_and_fifty_DELs_leave_nothing()
    {
        Network("ClusterNetwork", "race", """{"vlan":77,"cidr":"10.7.0.0/26","allocation_pool":{"start":"10.7.0.5","end":"10.7.0.54"}}""");
        var pods = await Node.StartPodsAsync(Enumerable.Range(0, Pods).Select(i => Objects.Pod($"race-{i}", Interfaces)));

        var adds = await Node.CallAllAsync([.. pods.Select(p => p.Call("ADD"))]);

        adds.Select(a => (string)a.Succeeded().Json["ips"]![0]!["address"]!).Should()
            .BeEquivalentTo(Enumerable.Range(5, Pods).Select(i => $"10.7.0.{i}/26"));
        Node.Objects("IPAllocation").Should().HaveCount(Pods);
        Node.Objects("DanmEp").Should().HaveCount(Pods);
        (await Node.JournalsAsync()).Should().HaveCount(Pods);
        (await HostAsync("ip -d -o link show race.77")).Should().Contain("vlan protocol 802.1Q id 77");

        await Expect_a_further_one_to_name_network_and_pool();

        foreach (var del in await Node.CallAllAsync([.. pods.Select(p => p.Call("DEL"))]))
            del.Succeeded();
    }

    private async Task Expect_a_further_one_to_name_network_and_pool()
    {
        var further = await PodAsync("race-too-many", Interfaces);
        (await further.AddAsync()).Failed(104).Msg.Should().Contain("ClusterNetwork/race").And.Contain("10.7.0.5-10.7.0.54");
        Node.Objects("IPAllocation").Should().HaveCount(Pods);
        (await further.RunAsync("ip -o link show type ipvlan")).Should().BeEmpty();
        (await further.DelAsync()).Succeeded();
        (await Node.JournalsAsync()).Should().HaveCount(Pods);
    }
}
