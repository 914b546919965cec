using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Tenants;

/// <summary>Whose Pods hold an id that no TenantNetwork has any more.</summary>
public sealed class VniPodsTests : VniFixture
{
    // More than the whole second that timestamps have.
    private static readonly TimeSpan Later = TimeSpan.FromMilliseconds(1100);

    [TestCase("x,y")]
    [TestCase("x=y")]
    [TestCase("..")]
    public async Task The_id_of_a_name_that_no_object_can_have_is_freed(string name)
    {
        Reserve(500, name);
        // As an API server does that cannot read the selector.
        Server.Faults.Add(new Fault(Fault.On("list", "danmeps")) { Answer = new StatusException(400, "BadRequest", "unable to parse requirement") });

        await FreedAsync("vlan500.ens4");
    }

    [TestCase("plain-1.a", "plain-1.a")]
    [TestCase("x,y", @"x\,y")]
    [TestCase("a=b", @"a\=b")]
    [TestCase(@"a\,b", @"a\\\,b")]
    public void A_value_of_a_field_selector_is_escaped(string value, string escaped) => ConnectedPods.EscapeValue(value).Should().Be(escaped);

    [TestCase(true)]
    [TestCase(false)]
    public async Task Pods_of_a_network_made_again_with_another_id_do_not_hold_the_former_ones(bool byAddress)
    {
        Reserve(500, "a");
        Network("a", 501);
        Reserve(501, "a");
        await Task.Delay(Later);
        Stand(byAddress);

        await FreedAsync("vlan500.ens4");
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Pods_from_before_the_network_was_made_again_hold_it(bool byAddress)
    {
        Reserve(500, "a");
        Stand(byAddress);
        await Task.Delay(Later);
        Network("a", 501);
        Reserve(501, "a");

        await FreedAsync();
        Log.Lines.Should().ContainSingle(l => l.Contains("Pod default/p was attached to it and still is"));
    }

    [Test]
    public async Task An_address_holds_the_id_when_the_namespace_has_lost_its_DanmEps()
    {
        Reserve(500, "a");
        Stand(byAddress: true);
        await FreedAsync();

        Server.Store.Delete("danm.io/v1", "IPAllocation", null, "10-0-0-5.vlan500.ens4");
        Clock.Advance(Options.Grace);
        (await PassAsync()).Freed.Should().Equal("vlan500.ens4");
    }

    [Test]
    public async Task An_address_of_another_network_does_not()
    {
        Reserve(500, "b");
        Stand(byAddress: true);

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

    /// <summary>A Pod of TenantNetwork default/a.</summary>
    private void Stand(bool byAddress) => Server.Store.Create(byAddress
        ? new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation",
            ["metadata"] = new JsonObject
            {
                ["name"] = "10-0-0-5.vlan500.ens4",
                ["labels"] = new JsonObject { ["danm.io/network"] = new NetworkRef(NetworkKind.TenantNetwork, "default", "a").ToLabelValue() },
            },
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
            ["metadata"] = new JsonObject { ["name"] = "e", ["namespace"] = "default" },
            ["spec"] = new JsonObject { ["NetworkName"] = "a", ["NetworkType"] = "ipvlan", ["EndpointID"] = "e", ["Pod"] = "p", ["apiType"] = "TenantNetwork" },
        });
}
