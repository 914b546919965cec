namespace Danm.Tests.EndToEnd;

/// <summary>The same Pod comes again in a new sandbox, as after its node's reboot.</summary>
[TestFixture, Parallelizable]
public sealed class RebootTests : GuestFixture
{
    private const string Interfaces = """[{"network":"reboot","ip":"10.20.0.10","ip6":"fd00:20::10"}]""";

    [OneTimeSetUp]
    public void MakeNetworks() => Network("DanmNet", "reboot", """{"cidr":"10.20.0.0/24","net6":"fd00:20::/64"}""");

    [TestCase(true, TestName = "A_static_address_comes_back_when_the_namespace_vanished")]
    [TestCase(false, TestName = "A_static_address_comes_back_by_the_DanmEps_when_the_journal_is_lost_too")]
    public async Task A_static_address_comes_back(bool withJournal)
    {
        var before = await AddAsync($"reboot-{withJournal}", Interfaces);
        await before.DeleteNamespaceAsync();
        if (!withJournal)
            await HostAsync("rm -r /var/lib/cni/danm");

        var after = await before.AgainAsync();
        var ips = (await after.AddAsync()).Succeeded().Json["ips"]!.AsArray();

        ips.Select(ip => (string)ip!["address"]!).Should().BeEquivalentTo("10.20.0.10/24", "fd00:20::10/64");
        Node.Objects("DanmEp").Should().ContainSingle().Which["spec"]!["CID"]!.ToString().Should().Be(after.ContainerId);
        Node.Objects("IPAllocation").Select(a => (string)a["spec"]!["owner"]!["containerID"]!).Should().Equal(after.ContainerId, after.ContainerId);
        (await after.CheckAsync()).Succeeded();
        // The runtime's late word on the old sandbox frees nothing of the new one.
        (await before.DelAsync()).Succeeded();
        Node.Objects("IPAllocation").Should().HaveCount(2);
        (await after.CheckAsync()).Succeeded();
        (await after.DelAsync()).Succeeded();
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_sandbox_that_lives_keeps_its_address(bool withJournal)
    {
        var living = await AddAsync($"living-{withJournal}", Interfaces);
        if (!withJournal)
            await HostAsync("rm -r /var/lib/cni/danm");
        var second = await living.AgainAsync();

        (await second.AddAsync()).Failed(105).Msg.Should()
            .Contain("10.20.0.10").And.Contain($"Pod default/{living.Name}").And.Contain(living.Uid).And.Contain("eth0").And.Contain("node-1");

        Node.Objects("IPAllocation").Should().HaveCount(2);
        Node.Objects("DanmEp").Should().ContainSingle().Which["spec"]!["CID"]!.ToString().Should().Be(living.ContainerId);
        (await living.RunAsync("ip -o address show dev eth0")).Should().Contain("10.20.0.10/24").And.Contain("fd00:20::10/64");
        (await second.DelAsync()).Succeeded();
        if (withJournal)
            (await living.CheckAsync()).Succeeded();
        (await living.DelAsync()).Succeeded();
    }
}
