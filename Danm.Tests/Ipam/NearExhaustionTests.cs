using System.Text.Json.Nodes;
using Danm.Ipam;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Kube;

namespace Danm.Tests.Ipam;

/// <summary>What the last addresses of a pool cost, and that nobody is sent away while there is one.</summary>
public sealed class NearExhaustionTests : IpamFixture
{
    [Test]
    public async Task A_thousand_claims_by_64_callers_share_a_pool_of_exactly_a_thousand()
    {
        const int Callers = 64;
        var (given, lists) = (new AllocatedAddress[1000], new int[1000]);
        var next = -1;

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var user = $"caller-{caller}";
            Server.Tokens[user] = user;
            using var api = TestClient.Connect(Server.Kubeconfig(new KubeconfigOptions { Token = user }));
            while (Interlocked.Increment(ref next) is var i && i < given.Length)
            {
                var before = Lists(user);
                given[i] = await new AddressAllocator(api, _ => { }).AllocateAsync(
                    AddressAllocator.Plan(Claim("10.0.0.0/20", $"p{i}", start: "10.0.1.0", end: "10.0.4.231")), CancellationToken.None);
                lists[i] = Lists(user) - before;
            }
        })));

        given.Select(a => a.Address).Should().OnlyHaveUniqueItems();
        Taken(Claim("10.0.0.0/20")).Should().Be(1000);
        lists.Sum().Should().BePositive("chance does not find the last addresses");
        lists.Max().Should().BeLessThanOrEqualTo(2);

        int Lists(string user) => Server.Requests.Where("list").Count(r => r.User == user && !r.Query.Contains("continue="));
    }

    [Test]
    public async Task A_large_pool_that_is_95_percent_full_takes_as_many_requests_as_chance_does()
    {
        var claim = Claim("10.0.0.0/16");
        var places = Enumerable.Range(0, (int)claim.Pool.Size).ToArray();
        new Random(1).Shuffle(places);
        Take(claim, places.Take(places.Length * 95 / 100).Select(i => claim.Pool.At((UInt128)i).ToString()));
        var requests = new List<int>();

        // Half of all claims need 14 creates: ln 0.5 / ln 0.95. The middle of 401 of them is off by one at most every third time.
        for (var i = 0; i < 401; i++)
        {
            Server.Requests.Clear();
            var address = await AllocateAsync(Claim("10.0.0.0/16", $"p{i}"));
            requests.Add(Server.Requests.Count());
            Server.Store.Delete("danm.io/v1", "IPAllocation", null, address.Name);
        }

        requests.Order().ElementAt(200).Should().BeInRange(8, 20);
    }

    [Test]
    public async Task Whoever_is_beaten_to_a_free_address_again_and_again_is_not_told_that_there_is_none()
    {
        var refusals = Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 6, Answer = new StatusException(409, "AlreadyExists", "injected") });

        (await AllocateAsync(Claim("10.0.0.1/32"))).Address.ToString().Should().Be("10.0.0.1/32");

        refusals.Hits.Should().Be(6);
        Server.Requests.Count("create").Should().Be(7, "one at first, and one for each list");
        Server.Requests.Count("list").Should().Be(6);
    }

    [Test]
    public async Task An_address_that_is_freed_while_the_last_one_goes_is_in_the_next_list()
    {
        var claim = Claim("10.0.0.0/30");
        Take(claim, "10.0.0.1", "10.0.0.2");
        // The list finds the second one free. It is taken again before the create, and the first one is freed.
        Server.Faults.Add(new Fault(Fault.On("list")) { Count = 1, Hold = () => Free("10-0-0-2") });
        Server.Faults.Add(new Fault(r => r.Verb == "create" && Server.Requests.Count("list") == 1)
        {
            Count = 1,
            Hold = () =>
            {
                Take(claim, "10.0.0.2");
                return Free("10-0-0-1");
            },
        });

        (await AllocateAsync(claim)).Address.ToString().Should().Be("10.0.0.1/30");
        Server.Requests.Count("list").Should().Be(2);

        Task Free(string address)
        {
            Server.Store.Delete("danm.io/v1", "IPAllocation", null, $"{address}.{claim.Segment.Name}");
            return Task.CompletedTask;
        }
    }

    [Test]
    public async Task An_object_of_the_wires_label_but_another_wires_name_takes_nothing()
    {
        var claim = Claim("10.0.0.1/32");
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1",
            ["kind"] = "IPAllocation",
            ["metadata"] = new JsonObject { ["name"] = "10-0-0-1.untagged.elsewhere", ["labels"] = new JsonObject { ["danm.io/segment"] = claim.Segment.Text } },
            ["spec"] = new JsonObject { ["network"] = new JsonObject { ["kind"] = "DanmNet", ["name"] = "n" }, ["address"] = "10.0.0.1/32" },
        });
        Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, Answer = new StatusException(409, "AlreadyExists", "injected") });

        (await AllocateAsync(claim)).Name.Should().Be($"10-0-0-1.{claim.Segment.Name}");
    }
}
