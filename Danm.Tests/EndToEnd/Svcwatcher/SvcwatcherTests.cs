using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Svcwatcher;

/// <summary>Services over every interface: what they lead to, as clients see it in EndpointSlices.</summary>
[TestFixture, Parallelizable]
public sealed class SvcwatcherTests : SvcwatcherFixture
{
    private const string Headless = """{"clusterIP":"None","ports":[{"name":"sql","port":5432,"targetPort":9999,"appProtocol":"tcp"}]}""";

    private static readonly (string, string)[] InternalDb = [("danm.io/selector", """{"app":"db"}"""), ("danm.io/clusterNetwork", "internal")];

    [Test]
    public async Task A_Service_leads_to_the_addresses_on_its_network_in_slices_as_Kubernetes_writes_them()
    {
        Zone("west");
        Service("db", Headless, InternalDb);
        Pod("db-0", ready: true, hostname: "db-0");
        Interface("e0", "db-0", "internal", "10.0.0.5/24", "fd00::5/64");
        Interface("e1", "db-0", "external", "192.0.2.5/24");

        await using var watcher = Start();

        await BecomesAsync("db", "10.0.0.5 db-0", "fd00::5 db-0");
        var slice = Slices("db").Single(s => s.At("addressType").String() == "IPv4");
        Sorted(slice.At("metadata", "labels")).Should().Be("""{"endpointslice.kubernetes.io/managed-by":"svcwatcher.danm.io","kubernetes.io/service-name":"db","service.kubernetes.io/headless":""}""");
        var owner = slice.At("metadata", "ownerReferences")![0];
        (owner.At("kind").String(), owner.At("uid").String(), owner.At("controller")!.GetValue<bool>())
            .Should().Be(("Service", Server.Store.Get("v1", "Service", "default", "db").At("metadata", "uid").String(), true));
        Sorted(slice.At("ports")![0]).Should().Be("""{"appProtocol":"tcp","name":"sql","port":5432,"protocol":"TCP"}""");
        var endpoint = slice.At("endpoints")![0];
        (endpoint.At("hostname").String(), endpoint.At("nodeName").String(), endpoint.At("zone").String(), endpoint.At("targetRef", "uid").String())
            .Should().Be(("db-0", "node-1", "west", Server.Store.Get("v1", "Pod", "default", "db-0").At("metadata", "uid").String()));
        (await watcher.StopAsync()).Should().Be(0, watcher.Log);
        Endpoints("db").Should().NotBeEmpty("the slices stay");
    }

    [Test]
    public async Task Readiness_deletion_labels_and_networks_are_followed()
    {
        Service("db", Headless, InternalDb);
        await using var watcher = Start();
        Pod("a", ready: false);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        await BecomesAsync("db", "10.0.0.1 a!");

        Ready("a", true);
        await BecomesAsync("db", "10.0.0.1 a");
        Slices("db").Select(s => s.At("metadata", "annotations", "endpoints.kubernetes.io/last-change-trigger-time").String()).Should().Contain("2026-01-02T03:04:05Z");

        Change("v1", "Pod", "a", p => p["metadata"]!["labels"]!["app"] = "web");
        await BecomesAsync("db");
        Sorted(Server.Store.Get("danm.io/v1", "DanmEp", "default", "ea").At("metadata", "labels")).Should().Be("""{"app":"web","danm.io/network":"internal"}""");
        Change("v1", "Service", "db", s => s["metadata"]!["annotations"]!["danm.io/selector"] = """{"app":"web"}""");
        await BecomesAsync("db", "10.0.0.1 a");

        Change("v1", "Service", "db", s => s["metadata"]!["annotations"]!["danm.io/clusterNetwork"] = "external");
        await BecomesAsync("db");
        Change("v1", "Service", "db", s => s["metadata"]!["annotations"]!["danm.io/network"] = "internal");
        await Task.Delay(1500);
        Endpoints("db").Should().BeEmpty("a DanmNet of that name is another network");
        Change("v1", "Service", "db", s => s["metadata"]!["annotations"]!["danm.io/clusterNetwork"] = "internal");
        await BecomesAsync("db", "10.0.0.1 a");

        Server.Store.Delete("v1", "Pod", "default", "a");
        await BecomesAsync("db");
        Pod("a", ready: true, app: "web");
        await Task.Delay(1500);
        Endpoints("db").Should().BeEmpty("the DanmEp is of the Pod before");
        Interface("ea2", "a", "internal", "10.0.0.2/24");
        await BecomesAsync("db", "10.0.0.2 a");
    }

    [Test]
    public async Task A_Service_that_cannot_be_served_is_told_so_and_disturbs_no_other()
    {
        Pod("a", ready: true);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        Service("bad", Headless, ("danm.io/selector", """{"app":"db"},{"x":"y"}"""), ("danm.io/clusterNetwork", "internal"));
        Service("selecting", """{"clusterIP":"None","selector":{"app":"db"},"ports":[{"port":1}]}""", InternalDb);
        Service("name", """{"type":"ExternalName","externalName":"example.org"}""", InternalDb);
        Service("virtual", """{"ports":[{"port":1}]}""", InternalDb);
        Service("good", Headless, ("danm.k8s.io/selector", """{"app":"db"}"""), ("danm.k8s.io/clusterNetwork", "internal"));
        Service("plain", Headless);

        await using var watcher = Start();

        await BecomesAsync("good", "10.0.0.1 a");
        await BecomesAsync("virtual", "10.0.0.1 a");
        await Netwatcher.Eventually.HoldsAsync(
            () => Server.Store.List("v1", "Event").Select(e => $"{e.At("involvedObject", "name")} {e.At("type")} {e.At("reason")}").Order(StringComparer.Ordinal)
                .Should().Equal("bad Warning InvalidDanmAnnotation", "name Warning ServiceNotServedByDanm", "selecting Warning ServiceNotServedByDanm", "virtual Warning ClusterIPNotReachable"),
            seconds: 10);
        foreach (var service in (string[])["bad", "selecting", "name", "plain"])
            Slices(service).Should().BeEmpty();

        Change("v1", "Service", "good", s => ((JsonObject)s["metadata"]!).Remove("annotations"));
        await Netwatcher.Eventually.HoldsAsync(() => Slices("good").Should().BeEmpty(), seconds: 10);
        Server.Store.Delete("v1", "Service", "default", "virtual");
        await Netwatcher.Eventually.HoldsAsync(() => Slices("virtual").Should().BeEmpty(), seconds: 10);
    }

    [Test]
    public async Task A_Pod_whose_Node_is_gone_is_not_published_and_zones_are_followed()
    {
        Service("db", Headless, InternalDb);
        Service("all", """{"clusterIP":"None","publishNotReadyAddresses":true,"ports":[{"port":1}]}""", InternalDb);
        Pod("a", ready: true);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        await using var watcher = Start();
        await BecomesAsync("db", "10.0.0.1 a");

        Zone("east");
        await Netwatcher.Eventually.HoldsAsync(() => Slices("db").SelectMany(s => s.At("endpoints") as JsonArray ?? []).Select(e => e.At("zone").String()).Should().Equal("east"), seconds: 10);
        Server.Store.Delete("v1", "Node", null, "node-1");
        await BecomesAsync("db");
        Endpoints("all").Should().Equal("10.0.0.1 a");
    }

    [Test]
    public async Task A_Service_that_is_refused_is_tried_less_and_less()
    {
        Service("db", Headless, InternalDb);
        Server.Faults.Add(new ApiServer.Http.Fault(r => r is { Resource: "endpointslices", Verb: "create" }) { Answer = new StatusException(422, "Invalid", "never") });
        await using var watcher = Start();

        await Task.Delay(TimeSpan.FromSeconds(16));

        // After 50 ms, and then never before a second is over: 1, 2, 3, 4, 5, 6.6 and 9.8, 16 s.
        Server.Requests.All.Count(r => r is { Resource: "endpointslices", Verb: "create" }).Should().BeInRange(3, 20);
        Server.Faults.Clear();
        await Netwatcher.Eventually.HoldsAsync(() => Slices("db").Should().NotBeEmpty(), seconds: 40);
    }

    [Test]
    public async Task Another_replica_takes_over_when_the_leader_is_killed()
    {
        Service("db", Headless, InternalDb);
        Pod("a", ready: true);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        string[] fast = ["--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s", "--leader-elect-retry-period=500ms"];
        await using var first = Start(fast);
        await BecomesAsync("db", "10.0.0.1 a");
        await using var second = Start(fast);
        await Netwatcher.Eventually.HoldsAsync(() => second.Log.Should().Contain("starts"), seconds: 10);

        await first.KillAsync();
        Ready("a", false);

        await BecomesAsync("db", "10.0.0.1 a!");
    }

    private void Zone(string zone)
    {
        var node = (JsonObject)Server.Store.Get("v1", "Node", null, "node-1")!.DeepClone();
        node["metadata"]!["labels"] = new JsonObject { ["topology.kubernetes.io/zone"] = zone };
        Server.Store.Update(node);
    }

    private static string Sorted(JsonNode? node) =>
        new JsonObject(((JsonObject)node!).OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone()))).ToJsonString();
}
