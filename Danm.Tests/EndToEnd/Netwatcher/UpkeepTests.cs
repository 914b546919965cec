using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>What netwatcher does for the node besides interfaces: garbage, deferred releases, the Pods' network-status, what it tells of itself.</summary>
[TestFixture, Parallelizable]
public sealed class UpkeepTests : NetwatcherFixture
{
    private const string Macvlan = """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd01::/64"}}""";
    private const string Interfaces = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"},{"network":"mv","ip":"dynamic"}]""";

    private string config = "";

    // /proc/1/root must lead to the node, not to the machine that the tests run on.
    private protected override bool OwnProcesses => true;

    [SetUp]
    public void Network()
    {
        config = Node.WriteFile("00-danm.conf", Node.Config().ToJsonString());
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", Macvlan));
    }

    [TearDown]
    public void Events()
    {
        foreach (var e in Node.Server.Store.List("v1", "Event"))
            Node.Server.Store.Delete("v1", "Event", (string)e["metadata"]!["namespace"]!, (string)e["metadata"]!["name"]!);
    }

    [Test]
    public async Task A_sandbox_that_no_DEL_came_for_is_freed_after_the_grace()
    {
        await AttachAsync("living");
        var dead = await AttachAsync("dead");
        await using var watcher = Start("--cni-conf", config);
        await Task.Delay(TimeSpan.FromSeconds(3));
        Node.Server.Store.Delete("v1", "Pod", "default", dead.Name);
        await dead.DeleteNamespaceAsync();

        await Task.Delay(TimeSpan.FromSeconds(12));
        Owners().Should().BeEquivalentTo(["living", "dead"], "its last sign is not old enough");
        await Node.ShellAsync("touch -d '-6 minutes' /var/lib/cni/danm/sandboxes/*");

        await Eventually.HoldsAsync(() =>
        {
            Owners().Should().Equal("living");
            watcher.Log.Should().Contain("garbage: Freed of Pod default/dead");
        }, seconds: 40);
    }

    [Test]
    public async Task A_release_that_waited_for_the_API_server_is_done_once_it_is_back()
    {
        var pod = await AttachAsync("pod");
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        var call = pod.Call("DEL");
        call.Config["timeoutSeconds"] = 3;
        (await Node.CallAsync(call)).Succeeded();
        Node.Objects().Should().NotBeEmpty();
        await using var watcher = Start("--cni-conf", config);
        await Task.Delay(TimeSpan.FromSeconds(3));

        Node.Server.Faults.Clear();

        await Eventually.HoldsAsync(() =>
        {
            Node.Objects().Should().BeEmpty();
        }, seconds: 60);
    }

    [Test]
    public async Task Where_no_namespace_is_seen_nothing_is_freed_and_an_Event_of_the_Node_says_why()
    {
        foreach (var name in (string[])["one", "two"])
        {
            var pod = await AttachAsync(name);
            Node.Server.Store.Delete("v1", "Pod", "default", name);
            // As with a mount that is not propagated: nothing is at any path, and the Pods may well live.
            await pod.DeleteNamespaceAsync();
        }

        await Node.ShellAsync("touch -d '-6 minutes' /var/lib/cni/danm/sandboxes/*");
        await using var watcher = Start("--cni-conf", config);

        await Eventually.HoldsAsync(() =>
        {
            Node.Server.Store.List("v1", "Event").Should().ContainSingle(e => (string)e["reason"]! == "NetworkNamespacesNotSeen")
                .Which["involvedObject"]!["name"]!.ToString().Should().Be("node-1");
        }, seconds: 30);
        Owners().Should().BeEquivalentTo("one", "two");
    }

    [Test]
    public async Task The_last_sandbox_of_a_drained_node_is_freed_where_its_namespace_was_seen_between_passes()
    {
        await using var watcher = Start("--cni-conf", config);
        await Eventually.HoldsAsync(() => watcher.Log.Should().Contain("starts"));
        // The first look, and the first pass with it, find nothing.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var last = await AttachAsync("last");
        await Task.Delay(TimeSpan.FromSeconds(12));
        Node.Server.Store.Delete("v1", "Pod", "default", last.Name);
        await last.DeleteNamespaceAsync();
        await Node.ShellAsync("touch -d '-6 minutes' /var/lib/cni/danm/sandboxes/*");

        await Eventually.HoldsAsync(() => Owners().Should().BeEmpty(), seconds: 40);
    }

    [Test]
    public async Task A_Pods_network_status_lists_all_its_interfaces_beside_those_of_others()
    {
        await using var watcher = Start("--cni-conf", config);
        var pod = await Node.StartPodAsync(Objects.Pod("pod", Interfaces));
        Annotate("pod", """[{"name":"kube-system/other","interface":"net7","ips":["192.0.2.7"],"unknown":{"kept":1}}]""");
        var result = JsonNode.Parse((await Node.CallAsync(pod.Call("ADD"))).Succeeded().Stdout)!;

        var status = new JsonArray();
        await Eventually.HoldsAsync(() =>
        {
            status = JsonNode.Parse(StatusOf("pod")!)!.AsArray();
            status.Should().HaveCount(3);
            status[1]!["mac"].Should().NotBeNull();
        });
        status[0]!.ToJsonString().Should().Be("""{"name":"kube-system/other","interface":"net7","ips":["192.0.2.7"],"unknown":{"kept":1}}""");
        status.Select(s => s!["interface"]!.ToString()).Should().Equal("net7", "eth0", "eth1");
        status[1]!["name"]!.ToString().Should().Be("default/mv");
        status[1]!["default"]!.GetValue<bool>().Should().BeTrue();
        status[2]!["default"].Should().BeNull();
        status[1]!["ips"]!.AsArray().Select(i => i!.ToString()).Should().Equal(
            result["ips"]!.AsArray().Where(i => (int)i!["interface"]! == 0).Select(i => i!["address"]!.ToString().Split('/')[0]));
        status[1]!["mac"]!.ToString().Should().Be(result["interfaces"]![0]!["mac"]!.ToString());

        var writes = Node.Server.Requests.Where("patch", "pods").Length;
        writes.Should().BeLessThanOrEqualTo(2, "what comes within a moment is written at once");
        await Task.Delay(TimeSpan.FromSeconds(4));
        Node.Server.Requests.Where("patch", "pods").Should().HaveCount(writes, "what is as it must be is not written again");
    }

    [Test]
    public async Task It_tells_probes_and_Prometheus_how_it_is_and_ends_at_SIGTERM()
    {
        await using var watcher = Start("--cni-conf", config, "--health-probe-bind-address", "127.0.0.1:18081", "--metrics-bind-address", "127.0.0.1:18080");
        await AttachAsync("pod");
        await Node.EventuallyAsync("curl -sS '127.0.0.1:18081/readyz?verbose'", t => t.Should().Be("[+]networks ok\n[+]ping ok\nreadyz check passed\n", watcher.Log), seconds: 40);
        (await Node.ShellAsync("curl -sS 127.0.0.1:18081/livez")).Should().Be("ok");

        await Node.EventuallyAsync("curl -sS 127.0.0.1:18080/metrics", t => t.Should()
            .MatchRegex("""(?m)^controller_runtime_reconcile_total\{[^}]*controller="host"[^}]*result="[a-z_]+"[^}]*\} \d""").And
            .MatchRegex("""(?m)^workqueue_depth\{[^}]*name="network-status""").And
            .MatchRegex("""(?m)^workqueue_adds_total\{""").And
            .MatchRegex("""(?m)^rest_client_requests_total\{[^}]*code="200",[^}]*method="GET""").And
            .MatchRegex("""(?m)^danm_ipam_allocations_total(\{[^}]*\})? 3""").And
            .MatchRegex("""(?m)^danm_netwatcher_interfaces(\{[^}]*\})? 0""").And
            .MatchRegex("""(?m)^danm_netwatcher_problems(\{[^}]*\})? 0"""));
        (await watcher.StopAsync()).Should().Be(0, watcher.Log);
    }

    [Test]
    public async Task Two_networks_that_cannot_both_have_their_interface_get_an_Event_and_those_without_the_device_do_not()
    {
        await Node.ShellAsync("ip address replace 192.0.2.1/24 dev parent0");
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "older", """{"NetworkID":"same","Options":{"host_device":"parent0","vxlan":610}}"""));
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        Node.Server.Store.Create(Objects.Network("TenantNetwork", "younger", """{"NetworkID":"same","Options":{"host_device":"parent0","vxlan":611}}"""));
        Node.Server.Store.Create(Objects.Network("TenantNetwork", "elsewhere", """{"NetworkID":"else","Options":{"host_device":"ens99","vxlan":612}}"""));
        await using var watcher = Start("--cni-conf", config);

        await Eventually.HoldsAsync(() =>
        {
            var e = Node.Server.Store.List("v1", "Event").Should().ContainSingle().Subject;
            e["involvedObject"]!["name"]!.ToString().Should().Be("younger");
            e["involvedObject"]!["uid"]!.ToString().Should().Be((string)Node.Server.Store.Get("danm.io/v1", "TenantNetwork", "default", "younger")!["metadata"]!["uid"]!);
            e["metadata"]!["namespace"]!.ToString().Should().Be("default");
            e["message"]!.ToString().Should().Contain("\"vx_same\"").And.Contain("ClusterNetwork/older");
        });
        await Eventually.HoldsAsync(() => watcher.Log.Should().Contain("ens99"));
        await Node.ShellAsync("ip link delete vx_same");
    }

    private async Task<Sandbox> AttachAsync(string name)
    {
        var pod = await Node.StartPodAsync(Objects.Pod(name, Interfaces));
        (await Node.CallAsync(pod.Call("ADD"))).Succeeded();
        return pod;
    }

    private IEnumerable<string> Owners() => Node.Objects("IPAllocation").Select(a => (string)a["spec"]!["owner"]!["pod"]!).Distinct();

    private string? StatusOf(string pod) => Node.Server.Store.Get("v1", "Pod", "default", pod).At("metadata", "annotations", "k8s.v1.cni.cncf.io/network-status").String();

    private void Annotate(string name, string status)
    {
        var pod = (JsonObject)Node.Server.Store.Get("v1", "Pod", "default", name)!.DeepClone();
        pod["metadata"]!["annotations"]!["k8s.v1.cni.cncf.io/network-status"] = status;
        Node.Server.Store.Update(pod);
    }
}
