using System.Net;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Ipam;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Ipam;

/// <summary>One claim at a time, against the API server.</summary>
public sealed class AddressAllocatorTests : IpamFixture
{
    [Test]
    public async Task A_free_address_costs_one_request()
    {
        var claim = Claim("10.0.0.0/24");
        var tries = AddressAllocator.Plan(claim);

        var address = await AllocateAsync(tries);

        Server.Requests.All.Should().ContainSingle().Which.Verb.Should().Be("create");
        Announced.Should().BeEmpty("the caller has written the first names down");
        address.Name.Should().Be(tries.Names[0]);
        claim.Pool.IndexOf(address.Address.Address).Should().NotBeNull();
        address.Address.PrefixLength.Should().Be(24);
        var stored = Stored(address);
        stored.At("metadata", "uid").String().Should().Be(address.Uid);
        stored.At("spec", "address").String().Should().Be(address.Address.ToString());
        stored.At("spec", "owner")!.ToJsonString().Should().Be("""{"namespace":"ns","pod":"amf-0","podUID":"uid-amf-0","containerID":"c","interface":"eth0","danmEp":"ep-amf-0-c"}""");
        stored.At("spec", "network")!.ToJsonString().Should().Be("""{"kind":"DanmNet","namespace":"ns","name":"n"}""");
        stored.At("spec", "nodeName").String().Should().Be("node-1");
        stored.At("metadata", "labels", "danm.io/node").String().Should().Be("node-1");
        stored.At("metadata", "labels", "danm.io/segment").String().Should().Be(claim.Segment.Text);
        stored.At("metadata", "labels", "danm.io/network").String().Should().Be("DanmNet.ns.n");
        stored.At("metadata", "labels", "danm.io/pod-uid").String().Should().Be("uid-amf-0");
    }

    [Test]
    public void A_Pod_tends_to_keep_its_address_and_Pods_spread()
    {
        AddressAllocator.Plan(Claim("10.0.0.0/16")).Names[0].Should().Be(AddressAllocator.Plan(Claim("10.0.0.0/16", container: "later")).Names[0]);

        Enumerable.Range(0, 100).Select(i => AddressAllocator.Plan(Claim("10.0.0.0/16", $"amf-{i}")).Names[0]).Distinct()
            .Should().HaveCountGreaterThan(90);
        Enumerable.Range(0, 20).Select(i => AddressAllocator.Plan(Claim("10.0.0.0/16")).Names[1]).Distinct()
            .Should().HaveCountGreaterThan(10, "the second try is any address");
    }

    [Test]
    public async Task Taken_addresses_lead_to_others_that_were_written_down_first()
    {
        var claim = Claim("10.0.0.0/16");
        var tries = AddressAllocator.Plan(claim);
        Take(claim, tries.Addresses.Distinct().Select(a => a.ToString()));
        var before = Taken(claim);

        var address = await AllocateAsync(tries);

        Announced.Should().ContainSingle().Which.Should().Contain(address.Name).And.NotContain(tries.Names[0]);
        Stored(address).At("spec", "owner", "pod").String().Should().Be("amf-0");
        Taken(claim).Should().Be(before + 1);
        Server.Requests.All.Should().OnlyContain(r => r.Verb == "create");
    }

    [TestCase("10.0.0.0/24", "10.0.0.77")]
    [TestCase("fd00::/120", "fd00::77")]
    public async Task The_last_free_address_is_found_by_a_list(string subnet, string last)
    {
        var claim = Claim(subnet);
        Take(claim, Enumerable.Range(1, 254).Select(i => claim.Pool.At((UInt128)(i - 1)).ToString()).Where(a => a != last));

        var address = await AllocateAsync(claim);

        address.Address.Address.Should().Be(IPAddress.Parse(last));
        Server.Requests.Count("create").Should().BeLessThanOrEqualTo(5, "254 / 100 is below four tries, and the list leaves one");
        Server.Requests.Where("list").Count(r => !r.Query.Contains("continue=")).Should().BeLessThanOrEqualTo(1);
    }

    [Test]
    public async Task An_exhausted_pool_is_named_after_a_list_begun_after_the_last_refusal()
    {
        var claim = Claim("10.0.0.0/28", start: "10.0.0.4", end: "10.0.0.9", network: "radio");
        Take(claim, Enumerable.Range(4, 6).Select(i => $"10.0.0.{i}"));

        var refused = (await this.Invoking(t => t.AllocateAsync(claim)).Should().ThrowAsync<AddressException>()).Which;

        refused.Fault.Should().Be(AddressFault.Exhausted);
        refused.Message.Should().Contain("DanmNet/ns/radio").And.Contain("10.0.0.4-10.0.0.9").And.Contain(claim.Segment.Text);
        var list = Server.Requests.All[^1];
        list.Verb.Should().Be("list");
        list.Query.Should().NotContain("resourceVersion", "a cached list may be old");
        Server.Requests.Where("create").Should().OnlyContain(r => r.Ended < list.Started);
        Taken(claim).Should().Be(6);
    }

    [Test]
    public async Task An_address_reserved_by_hand_is_no_reason_to_ask_for_ever()
    {
        var claim = Claim("10.0.0.0/30");
        Take(claim, "10.0.0.1");
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1",
            ["kind"] = "IPAllocation",
            ["metadata"] = new JsonObject { ["name"] = $"10-0-0-2.{claim.Segment.Name}" },
            ["spec"] = new JsonObject { ["network"] = new JsonObject { ["kind"] = "DanmNet", ["name"] = "n" }, ["address"] = "10.0.0.2/30" },
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));

        var allocate = () => new AddressAllocator(Api, _ => { }).AllocateAsync(AddressAllocator.Plan(claim), patience.Token);

        (await allocate.Should().ThrowAsync<AddressException>()).Which.Fault.Should().Be(AddressFault.Exhausted);
        Server.Requests.Count("list").Should().BeLessThan(6);
    }

    [TestCase("10.0.0.0/30", null, null, null, "10.0.0.1 10.0.0.2")]
    [TestCase("10.0.0.0/30", null, null, "10.0.0.1", "10.0.0.2")]
    [TestCase("10.0.0.0/31", null, null, null, "10.0.0.0 10.0.0.1")]
    [TestCase("10.0.0.7/32", null, null, null, "10.0.0.7")]
    [TestCase("10.0.0.0/24", "10.0.0.9", "10.0.0.9", null, "10.0.0.9")]
    [TestCase("10.0.0.0/24", "10.0.0.0", "10.0.0.2", null, "10.0.0.1 10.0.0.2")]
    [TestCase("fd00::/126", null, null, null, "fd00::1 fd00::2")]
    [TestCase("fd00::/126", "fd00::", "fd00::3", null, "fd00::1 fd00::2 fd00::3")]
    [TestCase("fd00::/127", null, null, null, "fd00:: fd00::1")]
    [TestCase("fd00::5/128", null, null, null, "fd00::5")]
    [TestCase("10.0.0.0/24", "10.0.0.9", "10.0.0.9", "10.0.0.9", "")]
    public async Task A_tiny_pool_gives_every_address_once(string subnet, string? start, string? end, string? gateway, string addresses)
    {
        var expected = addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var given = new List<string>();
        for (var i = 0; i < expected.Length; i++)
            given.Add((await AllocateAsync(Claim(subnet, $"p{i}", start: start, end: end, gateway: gateway))).Address.Address.ToString());

        given.Should().BeEquivalentTo(expected);
        (await this.Invoking(t => t.AllocateAsync(Claim(subnet, "late", start: start, end: end, gateway: gateway))).Should().ThrowAsync<AddressException>())
            .Which.Fault.Should().Be(AddressFault.Exhausted);
    }

    [Test]
    public async Task Networks_of_one_wire_share_its_addresses_and_wires_do_not()
    {
        var claim = Claim("10.0.0.0/32", "a");
        (await AllocateAsync(claim)).Address.ToString().Should().Be("10.0.0.0/32");

        await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/32", "b", network: "other"))).Should().ThrowAsync<AddressException>();
        (await AllocateAsync(Claim("10.0.0.0/32", "b", wire: "elsewhere"))).Address.ToString().Should().Be("10.0.0.0/32");
    }

    [TestCase("10.0.0.0/24", "10.0.0.200", "10-0-0-200")]
    [TestCase("fd00::/64", "fd00::200", "fd00-0000-0000-0000-0000-0000-0000-0200")]
    public async Task A_wanted_address_may_lie_outside_the_pool(string subnet, string wanted, string name)
    {
        var claim = Claim(subnet, wanted: wanted, start: subnet.Replace("0/24", "1").Replace("/64", "1"), end: subnet.Replace("0/24", "5").Replace("/64", "5"));
        AddressException.Check(claim);
        var tries = AddressAllocator.Plan(claim);

        var address = await AllocateAsync(tries);

        address.Name.Should().Be($"{name}.{claim.Segment.Name}");
        tries.Names.Should().Equal(address.Name);
        address.Address.ToString().Should().Be($"{wanted}/{claim.Pool.Subnet.PrefixLength}");
    }

    [TestCase("10.0.0.0/24", "10.0.1.5", null, "*10.0.1.5 is outside the subnet 10.0.0.0/24 of DanmNet/ns/n*")]
    [TestCase("10.0.0.0/24", "10.0.0.0", null, "*10.0.0.0 of DanmNet/ns/n is reserved*")]
    [TestCase("10.0.0.0/24", "10.0.0.255", null, "*10.0.0.255 of DanmNet/ns/n is reserved*")]
    [TestCase("10.0.0.0/24", "10.0.0.1", "10.0.0.1", "*10.0.0.1 of DanmNet/ns/n is reserved*")]
    [TestCase("fd00::/64", "fd00::", null, "*fd00:: of DanmNet/ns/n is reserved*")]
    [TestCase("fd00::/64", "fd00::1", "fd00::1", "*fd00::1 of DanmNet/ns/n is reserved*")]
    [TestCase("fd00::/64", "fd01::1", null, "*outside the subnet fd00::/64*")]
    [TestCase("10.0.0.0/31", "10.0.0.0", null, null)]
    [TestCase("10.0.0.5/32", "10.0.0.5", null, null)]
    [TestCase("fd00::/127", "fd00::", null, null)]
    [TestCase("fd00::/64", "fd00::ffff:ffff:ffff:ffff", null, null)]
    public void What_nobody_may_have_is_refused_at_once(string subnet, string wanted, string? gateway, string? message)
    {
        var check = () => AddressException.Check(Claim(subnet, wanted: wanted, gateway: gateway));

        if (message is null)
            check.Should().NotThrow();
        else
            check.Should().Throw<AddressException>().WithMessage(message).Which.Fault.Should().Be(AddressFault.NotAvailable);
    }

    [Test]
    public async Task A_wanted_address_in_use_names_its_holder()
    {
        var claim = Claim("10.0.0.0/24", wanted: "10.0.0.5");
        Take(Claim("10.0.0.0/24", network: "twin"), "10.0.0.5");

        var refused = (await this.Invoking(t => t.AllocateAsync(claim)).Should().ThrowAsync<AddressException>()).Which;

        refused.Fault.Should().Be(AddressFault.InUse);
        refused.Message.Should().Contain("10.0.0.5 of DanmNet/ns/n is in use by Pod ns/other (uid uid-other, interface eth0, node node-1, through DanmNet/ns/twin)");
    }

    [Test]
    public async Task Asking_again_gives_the_same_address_but_not_to_another_sandbox_of_the_Pod()
    {
        var claim = Claim("10.0.0.0/24", wanted: "10.0.0.5");
        var first = await AllocateAsync(claim);

        (await AllocateAsync(claim)).Should().Be(first);
        (await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/24", wanted: "10.0.0.5", container: "later"))).Should().ThrowAsync<AddressException>())
            .WithMessage("*in use by Pod ns/amf-0*");
    }

    [Test]
    public async Task A_wanted_address_that_is_freed_meanwhile_is_had()
    {
        var claim = Claim("10.0.0.0/24", wanted: "10.0.0.5");
        var name = AddressAllocator.Plan(claim).Names[0];
        Take(claim, "10.0.0.5");
        Server.Faults.Add(new Fault(Fault.On("get", "ipallocations", name))
        {
            Count = 1,
            Hold = () =>
            {
                Server.Store.Delete("danm.io/v1", "IPAllocation", null, name);
                return Task.CompletedTask;
            },
        });

        Stored(await AllocateAsync(claim)).At("spec", "owner", "pod").String().Should().Be("amf-0");
    }

    [Test]
    public async Task A_wanted_address_that_comes_and_goes_is_given_up()
    {
        Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Answer = new StatusException(409, "AlreadyExists", "injected") });

        (await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/24", wanted: "10.0.0.5"))).Should().ThrowAsync<AddressException>())
            .WithMessage("*in use by somebody who comes and goes*");
        Server.Requests.Count("create").Should().Be(3);
    }

    [TestCase(null)]
    [TestCase("10.0.0.5")]
    public async Task An_address_whose_answer_was_lost_is_known_as_our_own(string? wanted)
    {
        var claim = Claim("10.0.0.0/24", wanted: wanted);
        var lost = Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, DropAfter = true });

        var address = await AllocateAsync(claim);

        lost.Hits.Should().Be(1);
        Stored(address).At("metadata", "uid").String().Should().Be(address.Uid);
        Taken(claim).Should().Be(1, "no second address is taken");
        Server.Requests.Where().Select(r => r.Verb).Should().Equal("create", "create", "get");
    }

    // The server may carry out a request that it never answered after what another one made was deleted.
    [TestCase(0, 0, false)]
    [TestCase(1, 0, true)]
    [TestCase(0, 1, false)]
    [TestCase(1, 1, true)]
    public async Task An_address_of_which_another_create_may_be_under_way_says_so(int lostBefore, int lostAfter, bool mayComeAgain)
    {
        if (lostBefore > 0)
            Server.Faults.Add(new Fault(Fault.On("create")) { Count = lostBefore, DropBefore = true });
        if (lostAfter > 0)
            Server.Faults.Add(new Fault(Fault.On("create")) { Count = lostAfter, DropAfter = true });

        var address = await AllocateAsync(Claim("10.0.0.0/24"));

        address.MayComeAgain.Should().Be(mayComeAgain);
        Stored(address).At("metadata", "uid").String().Should().Be(address.Uid);
    }

    [Test]
    public async Task A_lost_answer_about_anothers_address_keeps_the_name_in_the_journal()
    {
        var claim = Claim("10.0.0.0/16");
        var tries = AddressAllocator.Plan(claim);
        Take(claim, tries.Addresses.Distinct().Select(a => a.ToString()));
        Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, DropBefore = true });

        var address = await AllocateAsync(tries);

        // The request without an answer may be served yet, once the other Pod frees the address.
        Announced[0].Should().Contain(tries.Names[0]).And.Contain(address.Name);
    }

    [Test]
    public async Task A_busy_server_is_asked_again()
    {
        var claim = Claim("10.0.0.0/24");
        Server.Faults.Add(new Fault(Fault.On("create")) { Count = 1, Answer = Fault.TooManyRequests(TimeSpan.FromSeconds(1)) });
        Server.Faults.Add(new Fault(Fault.On("create")) { Count = 2, Answer = Fault.InternalError() });

        await AllocateAsync(claim);

        Taken(claim).Should().Be(1);
        Server.Requests.Where("create").Select(r => r.Status).Should().Equal(429, 500, 500, 201);
    }

    [Test]
    public async Task A_server_that_stays_broken_is_an_error_of_the_API_not_of_the_pool()
    {
        Server.Faults.Add(new Fault(Fault.On("create")) { Answer = Fault.InternalError() });

        (await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/24"))).Should().ThrowAsync<ApiException>()).Which.Code.Should().Be(HttpStatusCode.InternalServerError);
        Server.Requests.Count("list").Should().Be(0);
    }

    [Test]
    public async Task A_refusal_of_another_kind_is_no_reason_to_try_elsewhere()
    {
        Server.Faults.Add(new Fault(Fault.On("create")) { Answer = StatusException.Forbidden("no") });

        (await this.Invoking(t => t.AllocateAsync(Claim("10.0.0.0/24"))).Should().ThrowAsync<ApiException>()).Which.Code.Should().Be(HttpStatusCode.Forbidden);
        Server.Requests.Count().Should().Be(1);
    }

    [Test]
    public async Task A_refusal_under_load_during_the_list_is_no_exhaustion()
    {
        var claim = Claim("10.0.0.0/30");
        Take(claim, "10.0.0.1", "10.0.0.2");
        Server.Faults.Add(new Fault(Fault.On("list")) { Answer = Fault.InternalError() });

        (await this.Invoking(t => t.AllocateAsync(claim)).Should().ThrowAsync<ApiException>()).Which.IsTransient.Should().BeTrue();
    }

    [Test]
    public void No_subnet_says_which_and_what_to_do()
    {
        AddressException.NoSubnet(new NetworkRef(NetworkKind.ClusterNetwork, null, "l2"), ipv6: true).Message.Should().Contain("ClusterNetwork/l2 has no net6").And.Contain("ip6");
        AddressException.NoSubnet(new NetworkRef(NetworkKind.DanmNet, "ns", "l2"), ipv6: false).Message.Should().Contain("DanmNet/ns/l2 has no cidr").And.NotContain("ip6");
    }
}
