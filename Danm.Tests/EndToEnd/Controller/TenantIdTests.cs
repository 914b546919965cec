using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Controller;

/// <summary>VLAN and VxLAN ids of TenantNetworks, under the running controller.</summary>
[TestFixture, Parallelizable]
public sealed class TenantIdTests : ControllerFixture
{
    [Test]
    public async Task The_id_of_a_deleted_network_is_freed_after_the_grace_and_a_lost_VNIAllocation_comes_back()
    {
        Network("goes", 500);
        Network("stays", 501);
        Network("lost", 502);
        Reserve(500, "goes");
        Reserve(501, "stays");
        await using var controller = await StartLeaderAsync("--vni-grace=3s", "--allow-short-vni-grace", "--metrics-bind-address=127.0.0.1:18090", "--health-probe-bind-address=127.0.0.1:18090");
        await Eventually.HoldsAsync(() => Allocations().Should().Equal("vlan500.ens4 goes", "vlan501.ens4 stays", "vlan502.ens4 lost"));

        Server.Store.Delete("danm.io/v1", "TenantNetwork", "default", "goes");
        await Task.Delay(TimeSpan.FromSeconds(2));
        Allocations().Should().HaveCount(3);
        await Eventually.HoldsAsync(() => Allocations().Should().Equal("vlan501.ens4 stays", "vlan502.ens4 lost"));

        using var http = new HttpClient();
        await Eventually.HoldsAsync(() => http.GetStringAsync(new Uri("http://127.0.0.1:18090/metrics")).Result.Should()
            .MatchRegex("""(?m)^danm_vni_freed_total(\{[^}]*\})? 1$""").And
            .MatchRegex("""(?m)^danm_vni_restored_total(\{[^}]*\})? 1$""").And
            .MatchRegex("""(?m)^danm_vni_allocations\{[^}]*device="ens4",type="vlan"\} 2$""").And
            .MatchRegex("""(?m)^danm_vni_pending(\{[^}]*\})? 0$""").And
            .MatchRegex("""(?m)^danm_vni_conflicts(\{[^}]*\})? 0$""").And
            .MatchRegex("""(?m)^danm_gone_nodes\{[^}]*fate="absent"\} 0$""").And
            .MatchRegex("""(?m)^danm_gone_node_last_pass_timestamp_seconds(\{[^}]*\})? 1\d{9}$""").And
            .MatchRegex("""(?m)^leader_election_master_status\{[^}]*name="danm-controller"\} 1$"""));
        (await http.GetStringAsync(new Uri("http://127.0.0.1:18090/readyz"))).Should().Be("ok");
    }

    [Test]
    public async Task Two_networks_with_one_id_get_an_Event_and_the_older_keeps_it()
    {
        await using var controller = await StartLeaderAsync();
        Reserve(510, "younger");
        Network("older", 510);
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        Network("younger", 510);

        await Eventually.HoldsAsync(() =>
        {
            Allocations().Should().Equal("vlan510.ens4 older");
            Server.Store.List("v1", "Event").Should().ContainSingle().Which.At("involvedObject", "name").String().Should().Be("younger");
        });
    }

    [Test]
    public async Task A_network_that_nobody_can_read_keeps_its_id_is_named_and_stops_nobody()
    {
        Server.Store.Load("danm.io/v1", "TenantNetwork", [Objects.Network("TenantNetwork", "old", """{"NetworkID":"old","Options":{"host_device":"ens4","vlan":"530"}}""")]);
        Reserve(530, "old");
        Reserve(531, "gone");
        Network("lost", 532);
        await using var controller = await StartLeaderAsync("--vni-grace=2s", "--allow-short-vni-grace", "--metrics-bind-address=127.0.0.1:18091");

        await Eventually.HoldsAsync(() => Allocations().Should().Equal("vlan530.ens4 old", "vlan532.ens4 lost"));

        await Task.Delay(TimeSpan.FromSeconds(3));
        Allocations().Should().Equal("vlan530.ens4 old", "vlan532.ens4 lost");
        Server.Store.List("v1", "Event").Should().ContainSingle().Which["reason"].String().Should().Be("TenantNetworkUnreadable");
        controller.Log.Should().Contain("TenantNetwork/default/old cannot be read: spec.Options.vlan");
        using var http = new HttpClient();
        await Eventually.HoldsAsync(() => http.GetStringAsync(new Uri("http://127.0.0.1:18091/metrics")).Result.Should().MatchRegex("""(?m)^danm_vni_unusable(\{[^}]*\})? 1$"""));
    }

    [Test]
    public async Task While_nothing_changes_nothing_is_listed()
    {
        Network("a", 520);
        Reserve(520, "a");
        Reserve(521, "pending");
        await using var controller = await StartLeaderAsync();
        await Eventually.HoldsAsync(() => Server.Requests.Where("list", "vniallocations").Should().HaveCount(2, "the informer's, and that of the pass for the pending one"));

        await Task.Delay(TimeSpan.FromSeconds(4));

        Server.Requests.Where("list", "vniallocations").Should().HaveCount(2);
        Server.Requests.Where("list", "danmeps").Should().HaveCount(1);
    }

    private IEnumerable<string> Allocations() => Server.Store.List("danm.io/v1", "VNIAllocation")
        .Select(a => $"{a.At("metadata", "name").String()} {a.At("spec", "network", "name").String()}");

    private void Network(string name, int vlan) => Server.Store.Create(Objects.Network(
        "TenantNetwork", name, $$$"""{"NetworkID":"{{{name}}}","NetworkType":"ipvlan","Options":{"host_device":"ens4","vlan":{{{vlan}}}}}"""));

    private void Reserve(int vlan, string network) => Server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "danm.io/v1", ["kind"] = "VNIAllocation", ["metadata"] = new JsonObject { ["name"] = $"vlan{vlan}.ens4" },
        ["spec"] = new JsonObject
        {
            ["device"] = "ens4", ["vniType"] = "vlan", ["vni"] = vlan,
            ["network"] = new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = "default", ["name"] = network },
        },
    });
}
