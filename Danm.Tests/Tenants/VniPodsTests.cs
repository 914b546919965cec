using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Tenants;

/// <summary>Whose Pods hold an id that no TenantNetwork has any more.</summary>
public sealed class VniPodsTests : VniFixture
{
    [TestCase("x,y")]
    [TestCase("x=y")]
    [TestCase("..")]
    public async Task The_id_of_a_name_that_no_object_can_have_is_freed(string name)
    {
        Reserve(500, name);
        // As an API server does that cannot read the selector.
        Server.Faults.Add(new Fault(r => r.Verb == "list" && r.Resource == "danmeps" && r.Query.Contains("fieldSelector")) { Answer = new StatusException(400, "BadRequest", "unable to parse requirement") });

        await FreedAsync("vlan500.ens4");
    }

    [TestCase("plain-1.a", "plain-1.a")]
    [TestCase("x,y", @"x\,y")]
    [TestCase("a=b", @"a\=b")]
    [TestCase(@"a\,b", @"a\\\,b")]
    public void A_value_of_a_field_selector_is_escaped(string value, string escaped) => ConnectedPods.EscapeValue(value).Should().Be(escaped);

    /// <summary>Its ADD had read the network before that was deleted, and wrote after it was made anew.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_Pod_that_is_made_on_the_former_id_of_a_network_made_again_holds_it(bool byAddress)
    {
        Reserve(500, "a");
        Network("a", 501);
        Reserve(501, "a");
        // Timestamps have whole seconds: by them it is the new network's.
        await Task.Delay(TimeSpan.FromMilliseconds(1100));
        Stand(byAddress, on: 500);

        await FreedAsync();

        Log.Lines.Should().ContainSingle(l => l.Contains("vlan 500 on \"ens4\" stays reserved: no TenantNetwork has it, but Pod default/p stands on it still"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Pods_of_a_network_made_again_with_another_id_do_not_hold_the_former_ones(bool byAddress)
    {
        Reserve(500, "a");
        Network("a", 501);
        Reserve(501, "a");
        Stand(byAddress, on: 501);

        await FreedAsync("vlan500.ens4");
    }

    /// <summary>The server makes a name after the id is reserved, and a network may go before the controller has written it down.</summary>
    [Test]
    public async Task A_Pod_holds_an_id_that_no_network_is_known_to_have_had()
    {
        Reserve(500, "");
        Stand(byAddress: false, on: 500);

        await FreedAsync();
    }

    [TestCase("TenantNetwork", 0)]
    [TestCase("DanmNet", 1)]
    public async Task A_DanmEp_of_the_original_holds_what_its_network_had(string apiType, int freed)
    {
        Reserve(500, "a");
        Network("a", 501);
        Reserve(501, "a");
        Stand(byAddress: false, on: null, apiType);

        await FreedAsync([.. Enumerable.Repeat("vlan500.ens4", freed)]);
    }

    [TestCase(null, "2026-01-01T00:00:00Z", true)]
    [TestCase("2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z", true)]
    [TestCase("2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z", true)]
    [TestCase("2026-01-01T00:00:00Z", "2026-01-01T00:10:01Z", false)]
    [TestCase("2026-01-01T00:00:00Z", null, true)]
    public void One_that_says_no_wire_is_the_former_networks_unless_no_ADD_takes_so_long(string? renewed, string? written, bool mayBe) =>
        ConnectedPods.MayBeFrom(new ObjectMeta { CreationTimestamp = written }, renewed).Should().Be(mayBe);

    [Test]
    public async Task An_address_holds_the_id_when_the_namespace_has_lost_its_DanmEps()
    {
        Reserve(500, "a");
        Stand(byAddress: true, on: 500);
        await FreedAsync();

        Server.Store.Delete("danm.io/v1", "IPAllocation", null, "10-0-0-5.vlan500.ens4");
        Clock.Advance(Options.Grace);
        (await PassAsync()).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task An_address_on_another_device_does_not()
    {
        Reserve(500, "a");
        Stand(byAddress: true, on: 500, device: "ens5");

        await FreedAsync("vlan500.ens4");
    }

    [TearDown]
    public void Release()
    {
        foreach (var address in Server.Store.List("danm.io/v1", "IPAllocation"))
            Server.Store.Delete("danm.io/v1", "IPAllocation", null, address.At("metadata", "name").String()!);
    }

    private async Task FreedAsync(params string[] names)
    {
        await PassAsync();
        Clock.Advance(Options.Grace);
        var result = await PassAsync();
        result.Failures.Should().BeEmpty();
        result.Freed.Should().Equal(names);
    }

    /// <summary>A Pod of TenantNetwork default/a, as ADD writes it; without an id, as the original did.</summary>
    private void Stand(bool byAddress, int? on, string apiType = "TenantNetwork", string device = "ens4")
    {
        var network = new NetworkRef(NetworkKind.TenantNetwork, "default", "a");
        var labels = new JsonObject { ["danm.io/network"] = network.ToLabelValue() };
        if (on is { } id)
            labels["danm.io/segment"] = $"vlan{id}.{device}";
        Server.Store.Create(byAddress
            ? new JsonObject
            {
                ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation",
                ["metadata"] = new JsonObject { ["name"] = $"10-0-0-5.vlan{on}.{device}", ["labels"] = labels },
                ["spec"] = new JsonObject
                {
                    ["network"] = new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = "default", ["name"] = "a" },
                    ["address"] = "10.0.0.5/24",
                    ["owner"] = new JsonObject { ["namespace"] = "default", ["pod"] = "p" },
                },
            }
            : new JsonObject
            {
                ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp",
                ["metadata"] = new JsonObject { ["name"] = "e", ["namespace"] = "default", ["labels"] = labels },
                ["spec"] = new JsonObject { ["NetworkName"] = "a", ["NetworkType"] = "ipvlan", ["EndpointID"] = "e", ["Pod"] = "p", ["apiType"] = apiType },
            });
    }
}
