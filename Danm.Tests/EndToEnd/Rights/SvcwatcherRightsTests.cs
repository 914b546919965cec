using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>Svcwatcher's rights: with --endpoints in one mode, without in the other.</summary>
[TestFixture("production"), TestFixture("lightweight"), Parallelizable]
public sealed class SvcwatcherRightsTests(string mode) : RightsFixture(mode)
{
    private const string Account = "danm-svcwatcher", Slices = "discovery.k8s.io/v1";

    [Test]
    public async Task Each_right_is_needed_and_all_are_enough()
    {
        Leave("left");
        ReplaceBeforeDeletion(Slices, "EndpointSlice", "endpointslices");
        Pod("db", "10.0.0.1/24");
        Service("db", """{"clusterIP":"None","ports":[{"port":80}]}""");
        Service("unreachable", """{"ports":[{"port":80}]}""");
        LoseAnswerOfEvent();

        await using var watcher = Start("danm-svcwatcher");
        await watcher.UntilReadyAsync();
        await Eventually.HoldsAsync(() => Addresses("db").Should().Equal(["10.0.0.1"], "{0}", watcher.Log), seconds: 30);
        await Eventually.HoldsAsync(() => WritesEndpointsFor("db").Should().Be(Mode.Components.Contains("svcwatcher/endpoints")));
        Change("v1", "Pod", Namespace, "db", p => p["metadata"]!["labels"]!["app"] = "another");
        await Eventually.HoldsAsync(() => Addresses("db").Should().BeEmpty());
        Change("v1", "Service", Namespace, "db", s => s["metadata"]!.AsObject().Remove("annotations"));
        await Eventually.HoldsAsync(() => Written().Should().NotContain("db").And.NotContain("left"));
        await Eventually.HoldsAsync(() => Warnings("unreachable").Should().Be(2, "an address of a Service leads nowhere"));
        ExpectNoComplaints(watcher, Account);
        await watcher.StopAsync();

        ExpectRightsOf(Account);
    }

    /// <summary>What an earlier svcwatcher wrote for a Service that went while none ran; and Endpoints, where those are not wanted any more.</summary>
    private void Leave(string service)
    {
        const string Labels = """{"kubernetes.io/service-name":"left","endpointslice.kubernetes.io/managed-by":"svcwatcher.danm.io"}""";
        Create($$"""{"apiVersion":"{{Slices}}","kind":"EndpointSlice","metadata":{"name":"{{service}}-1","namespace":"{{Namespace}}","labels":{{Labels}} },"addressType":"IPv4","endpoints":[],"ports":[]}""");
        Create($$"""{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"{{service}}","namespace":"{{Namespace}}","labels":{"endpoints.kubernetes.io/managed-by":"svcwatcher.danm.io"} } }""");
    }

    private void Service(string name, string spec) => Create($$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}","namespace":"{{Namespace}}","annotations":{"danm.io/selector":"{\"app\":\"db\"}","danm.io/{{Mode.OwnNetworkKey}}":"internal"} },"spec":{{spec}} }
        """);

    private void Pod(string name, string address)
    {
        var pod = Store.Create(Objects.Pod(name, null, Namespace, labels: new JsonObject { ["app"] = name }));
        pod["status"] = JsonNode.Parse("""{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}""");
        var uid = Store.Update(pod).At("metadata", "uid").String();
        Create($$"""
            {"apiVersion":"danm.io/v1","kind":"DanmEp","metadata":{"name":"ep","namespace":"{{Namespace}}","labels":{"app":"{{name}}"} },
             "spec":{"NetworkName":"internal","NetworkType":"ipvlan","EndpointID":"ep","Pod":"{{name}}","PodUID":"{{uid}}","Host":"node-1","apiType":"{{Mode.OwnNetwork}}","Interface":{"Name":"eth1","Address":"{{address}}"} } }
            """);
    }

    private IEnumerable<string> Addresses(string service) => Store.List(Slices, "EndpointSlice", Namespace).Where(s => s.At("metadata", "labels", "kubernetes.io/service-name").String() == service)
        .SelectMany(s => s.At("endpoints") as JsonArray ?? []).Select(e => e!["addresses"]![0].String()!);

    /// <summary>The Services that there are slices or Endpoints for.</summary>
    private IEnumerable<string> Written() =>
    [
        .. Store.List(Slices, "EndpointSlice", Namespace).Select(s => s.At("metadata", "labels", "kubernetes.io/service-name").String()!),
        .. Store.List("v1", "Endpoints", Namespace).Select(e => e.At("metadata", "name").String()!),
    ];

    private bool WritesEndpointsFor(string service) => Store.Get("v1", "Endpoints", Namespace, service) is not null;
}
