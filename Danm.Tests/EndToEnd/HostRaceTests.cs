namespace Danm.Tests.EndToEnd;

/// <summary>Many Pods start on a node at once, their interfaces made by macvlan, under the runtime's usual time-out.</summary>
public sealed class HostRaceTests : HostFixture
{
    private const int Count = 50;

    [Test]
    public async Task Fifty_Pods_share_fifty_addresses_and_a_fifty_first_is_told_why_not()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "full", """
            {"NetworkID":"full","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.5.0.0/26","allocation_pool":{"start":"10.5.0.1","end":"10.5.0.50"}}}
            """));
        var pods = new List<Sandbox>();
        for (var i = 0; i <= Count; i++)
            pods.Add(await Node.StartPodAsync(Objects.Pod($"pod-{i}", """[{"network":"full","ip":"dynamic"}]""")));

        var added = await Task.WhenAll(pods.Take(Count).Select(p => p.AddAsync()));

        var addresses = added.Select(a => (string)a.Succeeded().Json["ips"]![0]!["address"]!).ToList();
        addresses.Should().OnlyHaveUniqueItems().And.HaveCount(Count);
        foreach (var (pod, address) in pods.Zip(addresses))
            (await pod.RunAsync("ip -o address show dev eth0")).Should().Contain($" {address} ");
        (await pods[Count].AddAsync()).Failed(104).Msg.Should().Contain("DanmNet/default/full").And.Contain("10.5.0.1").And.Contain("10.5.0.50");

        var deleted = await Task.WhenAll(pods.Select(p => p.DelAsync()));

        foreach (var one in deleted)
            one.Succeeded();
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        foreach (var pod in pods)
            (await pod.RunAsync("ip -o link")).Should().NotContain("eth0");
    }
}
