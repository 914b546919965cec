using System.Net;
using CsCheck;
using Danm.Ipam;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Ipam;

/// <summary>What a list says is free.</summary>
public sealed class FreeAddressesTests : IpamFixture
{
    [Test]
    public async Task Pages_are_read_to_the_end()
    {
        var claim = Claim("10.0.0.0/21");
        Take(claim, Enumerable.Range(0, 1200).Select(i => claim.Pool.At((UInt128)i).ToString()));

        var free = await ListAsync(claim);

        free.Should().BeEquivalentTo(Enumerable.Range(1200, 2046 - 1200).Select(i => claim.Pool.At((UInt128)i)));
        Server.Requests.Where("list").Select(r => r.Query.Split('&')[0]).Should().Equal("?limit=100", "?limit=200", "?limit=400", "?limit=400", "?limit=400");
        Server.Requests.Where("list").Skip(1).Should().OnlyContain(r => r.Query.Contains("continue="));
    }

    [TestCase("10.0.0.0/16")]
    [TestCase("fd00::/112")]
    public async Task What_a_page_skips_is_free_and_spares_the_others(string subnet)
    {
        var claim = Claim(subnet);
        Take(claim, Enumerable.Range(0, 20_000).Where(i => i % 50 != 7).Select(i => claim.Pool.At((UInt128)i).ToString()));
        var list = new FreeAddresses(Api, claim, _ => false);

        var first = await list.NextAsync(4, CancellationToken.None);

        first.Should().HaveCount(2).And.OnlyContain(a => (int)claim.Pool.IndexOf(a)!.Value % 50 == 7);
        Server.Requests.Count("list").Should().Be(1);
        (await list.NextAsync(4, CancellationToken.None)).Should().HaveCount(2).And.NotIntersectWith(first).And.OnlyContain(a => (int)claim.Pool.IndexOf(a)!.Value % 50 == 7);
        Server.Requests.Count("list").Should().Be(2);
    }

    [Test]
    public void Places_follow_the_order_of_names() =>
        Gen.Select(Gen.Bool, Gen.Byte.Array[16], Gen.Byte.Array[16]).Sample((ipv6, a, b) =>
        {
            var (first, second) = (new IPAddress(a.AsSpan(0, ipv6 ? 16 : 4)), new IPAddress(b.AsSpan(0, ipv6 ? 16 : 4)));
            var segment = Claim("10.0.0.0/24").Segment;
            return Math.Sign(Place(first).CompareTo(Place(second)))
                    == Math.Sign(string.CompareOrdinal(AllocationName.For(first, segment), AllocationName.For(second, segment)))
                && NameOrder.At(Place(first), ipv6) == CidrAddress.ToValue(first);

            UInt128 Place(IPAddress address) => NameOrder.PlaceOf(CidrAddress.ToValue(address), ipv6);
        });

    [Test]
    public async Task A_list_that_the_server_forgot_begins_anew()
    {
        var claim = Claim("10.0.0.0/22");
        Take(claim, Enumerable.Range(0, 700).Select(i => claim.Pool.At((UInt128)i).ToString()));
        Server.Faults.Add(new Fault(r => r.Verb == "list" && r.Query.Contains("continue="))
        {
            Count = 1,
            Hold = () =>
            {
                // What is taken meanwhile must be seen by the new list.
                Take(claim, claim.Pool.At(1000).ToString());
                Server.Store.Compact();
                return Task.CompletedTask;
            },
        });

        var free = await ListAsync(claim);

        free.Should().HaveCount(1022 - 701).And.NotContain(claim.Pool.At(1000));
        Server.Requests.Where("list").Select(r => (r.Status, Next: r.Query.Contains("continue="))).Should()
            .Equal((200, false), (410, true), (200, false), (200, true), (200, true));
    }

    [Test]
    public async Task A_server_that_forgets_every_time_is_an_error()
    {
        var claim = Claim("10.0.0.0/22");
        Take(claim, Enumerable.Range(0, 700).Select(i => claim.Pool.At((UInt128)i).ToString()));
        Server.Faults.Add(new Fault(r => r.Verb == "list" && r.Query.Contains("continue=")) { Answer = StatusException.Expired("gone") });

        (await this.Invoking(t => t.ListAsync(claim)).Should().ThrowAsync<ApiException>()).Which.Code.Should().Be(HttpStatusCode.Gone);
        Server.Requests.Where("list").Select(r => r.Status).Should().Equal(200, 410, 200, 410, 200, 410);
    }

    [Test]
    public async Task Only_its_own_wire_family_and_pool_count_and_the_name_says_what_is_taken()
    {
        var claim = Claim("10.0.0.0/29", start: "10.0.0.2", end: "10.0.0.4", gateway: "10.0.0.3");
        Take(claim, "10.0.0.6", "fd00::4");
        Take(Claim("10.0.0.0/29", wire: "another"), "10.0.0.4");
        (await ListAsync(claim)).Select(a => a.ToString()).Should().BeEquivalentTo("10.0.0.2", "10.0.0.4");

        var liar = Server.Store.List("danm.io/v1", "IPAllocation").First(o => o.At("metadata", "name").String() == $"10-0-0-6.{claim.Segment.Name}");
        liar["metadata"]!["name"] = $"10-0-0-2.{claim.Segment.Name}";
        liar["metadata"]!.AsObject().Remove("uid");
        liar["metadata"]!.AsObject().Remove("resourceVersion");
        Server.Store.Create(liar);
        (await ListAsync(claim)).Select(a => a.ToString()).Should().Equal("10.0.0.4");
    }

    [Test]
    public async Task Of_a_pool_too_large_for_a_map_random_addresses_will_do()
    {
        var claim = Claim("fd00::/64");

        var free = await ListAsync(claim);

        free.Should().HaveCount(256).And.OnlyContain(a => claim.Pool.IndexOf(a) != null);
        Server.Requests.All.Should().BeEmpty();
    }

    [Test]
    public async Task Callers_who_listed_together_begin_at_different_addresses()
    {
        var claim = Claim("10.0.0.0/22");
        var (list, other) = (new FreeAddresses(Api, claim, _ => false), new FreeAddresses(Api, claim, _ => false));
        var same = 0;
        for (var i = 0; i < 10; i++)
            same += (await list.NextAsync(1, CancellationToken.None))[0].Equals((await other.NextAsync(1, CancellationToken.None))[0]) ? 1 : 0;

        same.Should().BeLessThan(5);
    }

    [Test]
    public async Task What_the_caller_knows_better_is_left_out()
    {
        var claim = Claim("10.0.0.0/29");
        var list = new FreeAddresses(Api, claim, a => a.Equals(claim.Pool.First));

        (await list.NextAsync(10, CancellationToken.None)).Should().HaveCount(5).And.NotContain(claim.Pool.First);
        (await list.NextAsync(10, CancellationToken.None)).Should().BeEmpty();
    }

    private async Task<List<IPAddress>> ListAsync(AddressClaim claim)
    {
        var list = new FreeAddresses(Api, claim, _ => false);
        var addresses = new List<IPAddress>();
        while (await list.NextAsync(4, CancellationToken.None) is { Count: > 0 } batch)
            addresses.AddRange(batch);
        return addresses;
    }
}
