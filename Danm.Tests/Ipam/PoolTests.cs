using System.Net;
using Danm.Ipam;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Ipam;

/// <summary>Pools of every size, several on one wire, and such as change while addresses of them are in use.</summary>
public sealed class PoolTests : IpamFixture
{
    [TestCase("10.0.0.0/8")]
    [TestCase("0.0.0.0/0")]
    [TestCase("fd00::/64")]
    [TestCase("::/0")]
    [TestCase("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public async Task A_pool_may_be_as_large_as_its_family(string subnet, string? start = null, string? end = null)
    {
        var pool = Claim(subnet, start: start, end: end).Pool;
        var given = new List<IPAddress>();
        for (var i = 0; i < 20; i++)
            given.Add((await AllocateAsync(Claim(subnet, $"p{i}", start: start, end: end))).Address.Address);

        given.Should().OnlyHaveUniqueItems().And.OnlyContain(a => pool.IndexOf(a) != null);
        Server.Requests.All.Should().HaveCount(20).And.OnlyContain(r => r.Verb == "create");
    }

    [TestCase("10.0.0.0/8")]
    [TestCase("fd00::/64")]
    public void Addresses_of_a_large_pool_come_from_all_of_it(string subnet)
    {
        var pool = Claim(subnet).Pool;

        Enumerable.Range(0, 400).Select(i => pool.IndexOf(AddressAllocator.Plan(Claim(subnet, $"p{i}")).Addresses[0])!.Value / (pool.Size / 4))
            .Distinct().Count(quarter => quarter < 4).Should().Be(4);
    }

    [Test]
    public async Task Ranges_of_several_networks_are_used_up_one_by_one_and_never_an_address_twice()
    {
        // A hole between the first two; the third lies over both.
        Func<string, AddressClaim>[] networks =
        [
            pod => Claim("10.0.0.0/24", pod, start: "10.0.0.10", end: "10.0.0.14", network: "low"),
            pod => Claim("10.0.0.0/24", pod, start: "10.0.0.20", end: "10.0.0.24", network: "high"),
            pod => Claim("10.0.0.0/24", pod, start: "10.0.0.12", end: "10.0.0.26", network: "over"),
        ];

        var answers = await Task.WhenAll(networks.SelectMany((network, n) => Enumerable.Range(0, 20).Select(i => Task.Run(async () =>
        {
            try
            {
                return (Network: n, Address: (IPAddress?)(await AllocateAsync(network($"p{n}-{i}"))).Address.Address);
            }
            catch (AddressException e) when (e.Fault == AddressFault.Exhausted)
            {
                return (n, null);
            }
        }))));

        var given = answers.Where(a => a.Address is not null).ToList();
        given.Select(a => a.Address).Should().OnlyHaveUniqueItems().And.HaveCount(17, "10 to 26 are all had");
        given.Should().OnlyContain(a => networks[a.Network]("p").Pool.IndexOf(a.Address!) != null);
    }

    [Test]
    public async Task A_pool_that_grows_gives_its_new_addresses()
    {
        await TakeAllAsync("10.0.0.0/24", "10.0.0.10", "10.0.0.12");

        (await TakeAllAsync("10.0.0.0/24", "10.0.0.10", "10.0.0.14")).Should().BeEquivalentTo("10.0.0.13/24", "10.0.0.14/24");
        (await TakeAllAsync("10.0.0.0/23", "10.0.0.10", "10.0.0.15")).Should().Equal("10.0.0.15/23");
        Server.Store.Get("danm.io/v1", "IPAllocation", null, $"10-0-0-10.{Claim("10.0.0.0/24").Segment.Name}").At("spec", "address").String()
            .Should().Be("10.0.0.10/24", "what is in use keeps its prefix");
    }

    [Test]
    public async Task A_pool_that_shrinks_or_moves_takes_nothing_from_anybody()
    {
        await TakeAllAsync("10.0.0.0/24", "10.0.0.10", "10.0.0.19");
        var claim = Claim("10.0.0.0/24");

        (await TakeAllAsync("10.0.0.0/24", "10.0.0.10", "10.0.0.12")).Should().BeEmpty("the smaller pool is in use");
        (await TakeAllAsync("10.0.0.0/24", "10.0.0.18", "10.0.0.21")).Should().BeEquivalentTo("10.0.0.20/24", "10.0.0.21/24");
        Taken(claim).Should().Be(12);
        (await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/24", "late", wanted: "10.0.0.15", start: "10.0.0.18", end: "10.0.0.21"))).Should().ThrowAsync<AddressException>())
            .Which.Fault.Should().Be(AddressFault.InUse, "an address outside the pool is still its holder's");

        // Freed, it is no longer the pool's to give, but may be asked for.
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, $"10-0-0-15.{claim.Segment.Name}");
        (await TakeAllAsync("10.0.0.0/24", "10.0.0.18", "10.0.0.21")).Should().BeEmpty();
        (await AllocateAsync(Claim("10.0.0.0/24", "late", wanted: "10.0.0.15", start: "10.0.0.18", end: "10.0.0.21"))).Address.ToString().Should().Be("10.0.0.15/24");
    }

    [Test]
    public async Task A_gateway_added_later_is_given_no_more()
    {
        (await TakeAllAsync("10.0.0.0/30", "10.0.0.1", "10.0.0.1")).Should().Equal("10.0.0.1/30");

        (await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/30", "late", gateway: "10.0.0.2"))).Should().ThrowAsync<AddressException>())
            .Which.Fault.Should().Be(AddressFault.Exhausted);
    }

    /// <summary>Pods take what the pool has left.</summary>
    private async Task<List<string>> TakeAllAsync(string subnet, string start, string end)
    {
        var given = new List<string>();
        try
        {
            for (var i = 0; ; i++)
                given.Add((await AllocateAsync(Claim(subnet, $"p-{start}-{end}-{i}", start: start, end: end))).Address.ToString());
        }
        catch (AddressException e) when (e.Fault == AddressFault.Exhausted)
        {
            return given;
        }
    }
}
