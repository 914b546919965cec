using System.Text.Json.Nodes;
using Danm.Kube;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Tenants;

/// <summary>The upkeep of tenants' ids against an API server, by a clock that the test moves.</summary>
public sealed class VniRepairTests : VniFixture
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    [Test]
    public async Task An_id_that_no_network_has_is_freed_once_the_grace_is_over_and_no_other()
    {
        Network("a", 500);
        Reserve(500, "a");
        Reserve(501, "gone");
        Reserve(502, "imported", new JsonObject { ["danm.io/imported"] = "true" });

        (await PassAsync()).Freed.Should().BeEmpty();
        Repair.UntilNext.Should().Be(Options.Grace);
        Clock.Advance(Options.Grace - Moment);
        (await PassAsync()).Freed.Should().BeEmpty();
        Clock.Advance(Moment);
        (await PassAsync()).Freed.Should().Equal("vlan501.ens4");

        Allocations().Should().Equal("vlan500.ens4 of default/a", "vlan502.ens4 of default/imported");
        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing);
        Repair.Pending.Should().Be(0);
    }

    // Its ADD had read the network before that was deleted, and its DanmEp came after.
    [TestCase("a", "default", "TenantNetwork", true)]
    [TestCase("b", "default", "TenantNetwork", false)]
    [TestCase("a", "kube-public", "TenantNetwork", false)]
    [TestCase("a", "default", "DanmNet", false)]
    public async Task One_that_a_Pod_still_stands_on_stays_until_a_grace_after_the_Pod_is_gone(string network, string ns, string apiType, bool stays)
    {
        Reserve(500, "a");
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1",
            ["kind"] = "DanmEp",
            ["metadata"] = new JsonObject { ["name"] = "e", ["namespace"] = ns },
            ["spec"] = new JsonObject { ["NetworkName"] = network, ["NetworkType"] = "ipvlan", ["EndpointID"] = "e", ["Pod"] = "p", ["apiType"] = apiType },
        });
        await PassAsync();
        Clock.Advance(Options.Grace);

        (await PassAsync()).Freed.Should().HaveCount(stays ? 0 : 1);
        if (!stays)
            return;
        Log.Lines.Should().ContainSingle(l => l.Contains("Pod default/p stands on it still"));
        Repair.UntilNext.Should().Be(Options.Grace, "it is not asked for again at once");
        Server.Store.Delete("danm.io/v1", "DanmEp", "default", "e");
        Clock.Advance(Options.Grace - Moment);
        (await PassAsync()).Freed.Should().BeEmpty();
        Clock.Advance(Moment);
        (await PassAsync()).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task While_it_cannot_be_asked_who_stands_on_it_nothing_is_freed()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        Server.Faults.Add(new Fault(Fault.On("list", "danmeps")) { Answer = new StatusException(403, "Forbidden", "no") });

        var result = await PassAsync();

        (result.Freed.Count, result.Failures.Count).Should().Be((0, 1));
    }

    [Test]
    public async Task One_that_is_reserved_again_waits_for_the_whole_grace_anew()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        Touch(500);

        (await PassAsync()).Freed.Should().BeEmpty();
        Clock.Advance(Options.Grace);
        (await PassAsync()).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task One_that_was_deleted_and_made_anew_waits_for_the_whole_grace_anew()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        DeleteAllocation(500);
        Reserve(500, "a");

        (await PassAsync()).Freed.Should().BeEmpty();
    }

    [Test]
    public async Task One_that_a_network_had_in_between_waits_for_the_whole_grace_anew()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace - Moment);
        Network("a", 500);
        await PassAsync();
        Server.Store.Delete("danm.io/v1", "TenantNetwork", "default", "a");
        Clock.Advance(Moment);

        (await PassAsync()).Freed.Should().BeEmpty();
        Clock.Advance(Options.Grace);
        (await PassAsync()).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task A_new_leader_counts_anew()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        var successor = new VniRepair(Api, Options, new(Api, "danm-controller", null), Log, Clock);

        (await successor.RunAsync(CancellationToken.None)).Freed.Should().BeEmpty();
        Clock.Advance(Options.Grace);
        (await successor.RunAsync(CancellationToken.None)).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task A_reservation_that_is_used_again_between_the_lists_and_the_delete_stays()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        Server.Faults.Add(new Fault(Fault.On("delete", "vniallocations")) { Count = 1, Hold = () => Done(() => Touch(500)) });

        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing);

        Allocations().Should().Equal("vlan500.ens4 of default/a");
    }

    [Test]
    public async Task A_network_that_is_stored_between_the_two_lists_keeps_its_id()
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        Server.Faults.Add(new Fault(Fault.On("list", "tenantnetworks")) { Count = 1, Hold = () => Done(() => Network("a", 500)) });

        (await PassAsync()).Freed.Should().BeEmpty();
    }

    [TestCase("vniallocations")]
    [TestCase("tenantnetworks")]
    public async Task When_a_list_fails_nothing_is_freed(string resource)
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        Server.Faults.Add(new Fault(Fault.On("list", resource)) { Answer = new StatusException(403, "Forbidden", "no") });

        await this.Invoking(t => t.PassAsync()).Should().ThrowAsync<ApiException>();

        Allocations().Should().ContainSingle();
    }

    [TestCase("vniallocations")]
    [TestCase("tenantnetworks")]
    public async Task Where_the_server_does_not_know_a_kind_nothing_is_freed_and_nothing_said(string resource)
    {
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);
        var fault = Server.Faults.Add(new Fault(Fault.On("list", resource)) { Answer = StatusException.NoSuchResource() });

        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing);

        fault.Hits.Should().Be(1);
        Allocations().Should().ContainSingle();
        Log.Lines.Should().BeEmpty();
    }

    [Test]
    public async Task Lists_come_from_the_store_and_the_networks_last()
    {
        await PassAsync();

        Server.Requests.Where("list").Select(r => r.Resource).Should().Equal("vniallocations", "tenantnetworks");
        Server.Requests.Where("list").Should().NotContain(r => r.Query.Contains("resourceVersion"), "a cache may be behind");
    }

    [Test]
    public async Task A_network_without_a_VNIAllocation_gets_one()
    {
        Network("a", 500);

        (await PassAsync()).Restored.Should().Equal("vlan500.ens4");

        var made = Server.Store.List("danm.io/v1", "VNIAllocation").Should().ContainSingle().Subject;
        made["spec"]!.ToJsonString().Should().Be(
            """{"device":"ens4","vniType":"vlan","vni":500,"network":{"kind":"TenantNetwork","namespace":"default","name":"a"}}""");
        made.At("metadata", "labels", "app.kubernetes.io/managed-by").String().Should().Be("danm");
        Log.Lines.Should().ContainSingle().Which.Should().Be("Warning: TenantNetwork/default/a has vlan 500 on \"ens4\", whose VNIAllocation was missing: made again");
    }

    [Test]
    public async Task One_that_came_between_the_lists_is_not_made_again()
    {
        Server.Faults.Add(new Fault(Fault.On("list", "tenantnetworks"))
        {
            Count = 1,
            Hold = () => Done(() =>
            {
                Reserve(500, "a");
                Network("a", 500);
            }),
        });

        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing);
    }

    [Test]
    public async Task A_VNIAllocation_without_the_networks_name_gets_it_and_keeps_the_rest()
    {
        Network("made-by-the-server-x7k2p", 500);
        Reserve(500, "", new JsonObject { ["danm.io/reserved-at"] = "then" });

        (await PassAsync()).Corrected.Should().Equal("vlan500.ens4");

        Allocations().Should().Equal("vlan500.ens4 of default/made-by-the-server-x7k2p");
        Server.Store.List("danm.io/v1", "VNIAllocation")[0].At("metadata", "annotations", "danm.io/reserved-at").String().Should().Be("then");
    }

    [Test]
    public async Task A_VNIAllocation_that_changes_meanwhile_is_not_overwritten()
    {
        Network("a", 500);
        Reserve(500, "b");
        Server.Faults.Add(new Fault(Fault.On("update", "vniallocations")) { Count = 1, Hold = () => Done(() => Touch(500)) });

        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing);
        Allocations().Should().Equal("vlan500.ens4 of default/b");

        (await PassAsync()).Corrected.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task Of_two_networks_with_one_id_the_older_has_it_and_the_younger_gets_an_Event()
    {
        Network("older", 500, "default");
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        var younger = Network("younger", 500, "kube-public");
        Reserve(500, "younger");

        await PassAsync();
        await PassAsync();

        Allocations().Should().Equal("vlan500.ens4 of default/older");
        var e = (await EventsAsync()).Should().ContainSingle().Subject;
        e.At("metadata", "namespace").String().Should().Be("kube-public");
        e.At("involvedObject", "uid").String().Should().Be(younger.At("metadata", "uid").String());
        e["reason"].String().Should().Be("VniConflict");
        e["type"].String().Should().Be("Warning");
        e["count"]!.GetValue<long>().Should().Be(1, "what holds is not said at each pass");
        e["message"].String().Should().Be("TenantNetwork/kube-public/younger has vlan 500 on \"ens4\", as one of another namespace has, which is older: their Pods are on one wire. "
            + "Delete TenantNetwork/kube-public/younger and create it again, so that it gets an id of its own");
        Log.Lines.Should().ContainSingle(l => l.Contains("as TenantNetwork/default/older has, which is older"), "an operator must know both");
    }

    [Test]
    public async Task A_conflict_is_said_again_before_its_Event_is_forgotten()
    {
        Network("a", 500);
        Network("b", 500);
        Reserve(500, "a");
        await PassAsync();
        var plan = VniRules.Decide([], []);
        Repair.IsNews(plan).Should().BeFalse();

        Clock.Advance(TimeSpan.FromMinutes(31));
        await PassAsync();

        var e = (await EventsAsync()).Should().ContainSingle().Subject;
        e["count"]!.GetValue<long>().Should().Be(2);
        e["message"].String().Should().MatchRegex("as TenantNetwork/default/[ab] has");
    }

    [Test]
    public async Task A_VNIAllocation_that_is_not_as_Danm_writes_it_is_left_alone_with_an_Event()
    {
        Reserve(500, name: "by-hand");
        await PassAsync();
        Clock.Advance(Options.Grace * 2);
        await PassAsync();

        Server.Store.Get("danm.io/v1", "VNIAllocation", null, "by-hand").Should().NotBeNull();
        var e = (await EventsAsync()).Should().ContainSingle().Subject;
        e.At("involvedObject", "kind").String().Should().Be("VNIAllocation");
        e["reason"].String().Should().Be("VniAllocationUnusable");
        e["message"].String().Should().Contain("by-hand").And.Contain("vlan500.ens4");
    }

    [Test]
    public async Task What_fails_stands_in_nobodys_way_and_is_done_by_the_next_pass()
    {
        Reserve(500, "a");
        Reserve(501, "b");
        Network("c", 502);
        await PassAsync();
        DeleteAllocation(502);
        Clock.Advance(Options.Grace);
        Server.Faults.Add(new Fault(Fault.On("delete", "vniallocations", NameOf(500))) { Count = 1, Answer = new StatusException(403, "Forbidden", "no") });
        Server.Faults.Add(new Fault(Fault.On("create", "vniallocations")) { Count = 1, Answer = new StatusException(403, "Forbidden", "no") });

        var first = await PassAsync();

        first.Failures.Should().HaveCount(2).And.OnlyContain(f => f.Contains("403"));
        first.Freed.Should().Equal("vlan501.ens4");
        var second = await PassAsync();
        second.Should().BeEquivalentTo(new { Freed = new[] { "vlan500.ens4" }, Restored = new[] { "vlan502.ens4" }, Failures = Array.Empty<string>() });
    }

    [Test]
    public async Task Deletes_begin_evenly()
    {
        var slow = new VniRepair(Api, Options with { DeletesPerSecond = 1 }, new(Api, "danm-controller", null), Log, Clock);
        foreach (var vlan in (int[])[500, 501, 502])
            Reserve(vlan, "a");
        await slow.RunAsync(CancellationToken.None);
        Clock.Advance(Options.Grace);

        var pass = slow.RunAsync(CancellationToken.None);
        for (var deleted = 1; deleted <= 3; deleted++)
        {
            await Tests.Kube.Eventually.IsTrueAsync(() => Server.Store.Count("danm.io/v1", "VNIAllocation") == 3 - deleted);
            await Task.Delay(100);
            Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(3 - deleted, "no time has passed");
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        (await pass).Freed.Should().HaveCount(3);
    }

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
