using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Webhook;

namespace Danm.Tests.Tenants;

/// <summary>Objects that were stored when their kinds had no schema: each keeps what it may stand for, and stops nobody else's upkeep.</summary>
public sealed class VniUnreadableTests : VniFixture
{
    [Test]
    public async Task A_network_keeps_the_ids_that_it_may_have_gets_an_Event_and_the_rest_goes_on()
    {
        Load("TenantNetwork", Objects.Network("TenantNetwork", "old", """{"NetworkID":"old","Options":{"host_device":"ens4","vlan":"500"}}"""));
        Reserve(500, "old");
        Reserve(501, "gone");
        Network("lost", 502);
        await PassAsync();
        Clock.Advance(Options.Grace);

        var result = await PassAsync();

        result.Should().BeEquivalentTo(VniRepairResult.Nothing with { Freed = ["vlan501.ens4"] });
        Allocations().Should().Equal("vlan500.ens4 of default/old", "vlan502.ens4 of default/lost");
        var e = (await EventsAsync()).Should().ContainSingle().Subject;
        e.At("involvedObject", "name").String().Should().Be("old");
        e["reason"].String().Should().Be("TenantNetworkUnreadable");
        e["message"].String().Should().Be("TenantNetwork/default/old cannot be read: spec.Options.vlan has the wrong type, or a number out of range. No id that it may have is freed; mend it, or delete it");
        Log.Lines.Should().Contain($"Warning: {e["message"].String()}");
    }

    /// <summary>Informers do not know it.</summary>
    [Test]
    public async Task It_is_looked_for_at_the_start_and_looked_at_until_it_is_gone()
    {
        var nothing = VniRules.Decide([], []);
        Load("TenantNetwork", Objects.Network("TenantNetwork", "old", """{"NetworkID":"old","Options":{"host_device":"ens4","vlan":"500"}}"""));
        (Repair.IsNews(nothing), Repair.Unreadable).Should().Be((true, 0));

        await PassAsync();
        (Repair.IsNews(nothing), Repair.Unreadable).Should().Be((true, 1));

        Server.Store.Delete("danm.io/v1", "TenantNetwork", "default", "old");
        await PassAsync();
        (Repair.IsNews(nothing), Repair.Unreadable).Should().Be((false, 0));
    }

    [Test]
    public async Task An_id_whose_network_was_unreadable_waits_for_the_whole_grace_once_that_is_gone()
    {
        Load("TenantNetwork", Objects.Network("TenantNetwork", "old", """{"NetworkID":"old","Options":{"host_device":"ens4","vlan":"500"}}"""));
        Reserve(500, "old");
        await PassAsync();
        Clock.Advance(Options.Grace);
        await PassAsync();
        Server.Store.Delete("danm.io/v1", "TenantNetwork", "default", "old");

        (await PassAsync()).Freed.Should().BeEmpty();
        Clock.Advance(Options.Grace);
        (await PassAsync()).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task A_VNIAllocation_is_left_alone_with_an_Event_and_the_rest_goes_on()
    {
        var odd = new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "VNIAllocation", ["metadata"] = new JsonObject { ["name"] = NameOf(500) },
            ["spec"] = new JsonObject { ["device"] = "ens4", ["vniType"] = "vlan", ["vni"] = "500" },
        };
        Load("VNIAllocation", odd);
        Network("a", 500);
        Reserve(501, "gone");
        await PassAsync();
        Clock.Advance(Options.Grace);

        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing with { Freed = ["vlan501.ens4"] });

        Server.Store.Get("danm.io/v1", "VNIAllocation", null, NameOf(500)).Should().NotBeNull();
        (await EventsAsync()).Should().ContainSingle().Which["reason"].String().Should().Be("VniAllocationUnusable");
    }

    [TestCase("""{"NetworkName":"a","apiType":"TenantNetwork","Pod":"p","PodUID":7}""", true, "Pod default/p")]
    [TestCase("""{"NetworkName":"a","apiType":7,"Pod":7}""", true, "that of default/e, which names none")]
    [TestCase("""{"NetworkName":"a","apiType":"DanmNet","Pod":7}""", false, "")]
    [TestCase("""{"NetworkName":"a","Pod":7}""", false, "")]
    public async Task A_DanmEp_holds_its_networks_id_and_the_network_itself(string spec, bool holds, string named)
    {
        Load("DanmEp", new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = "e", ["namespace"] = "default" },
            ["spec"] = JsonNode.Parse(spec),
        });
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);

        var result = await PassAsync();
        var deletion = await new NetworkDeletion(new ConnectedPods(Api)).DecideAsync(
            new AdmissionRequest { Kind = new GroupVersionKind { Group = ApiNames.Group, Version = "v1", Kind = "TenantNetwork" }, Namespace = "default", Name = "a" }, CancellationToken.None);

        result.Should().BeEquivalentTo(VniRepairResult.Nothing with { Freed = holds ? [] : ["vlan500.ens4"] });
        deletion.IsAllowed.Should().Be(!holds);
        if (!holds)
            return;
        Log.Lines.Should().ContainSingle(l => l.Contains(named));
        deletion.Status!.Message.Should().Contain(named.Replace("Pod ", ""));
    }

    [Test]
    public async Task An_IPAllocation_holds_the_id_of_its_wire()
    {
        Load("IPAllocation", new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation",
            ["metadata"] = new JsonObject { ["name"] = "10-0-0-5.vlan500.ens4", ["labels"] = new JsonObject { ["danm.io/segment"] = "vlan500.ens4" } },
            ["spec"] = new JsonObject { ["address"] = 5, ["owner"] = "p" },
        });
        Reserve(500, "a");
        await PassAsync();
        Clock.Advance(Options.Grace);

        (await PassAsync()).Should().BeEquivalentTo(VniRepairResult.Nothing);
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, "10-0-0-5.vlan500.ens4");
    }

    private void Load(string kind, JsonObject stored) => Server.Store.Load("danm.io/v1", kind, [stored]);
}
