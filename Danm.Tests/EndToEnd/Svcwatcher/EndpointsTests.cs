using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Svcwatcher;

/// <summary>Endpoints, for clients that read nothing else; and the original's svcwatcher, which wrote them.</summary>
[TestFixture, Parallelizable]
public sealed class EndpointsTests : SvcwatcherFixture
{
    private const string Headless = """{"clusterIP":"None","ports":[{"name":"sql","port":5432},{"name":"web","port":80}]}""";

    // As the original copied them.
    private const string Copied = """{"danm.io/selector":"{\"app\":\"db\"}","danm.io/clusterNetwork":"internal"}""";

    private static readonly (string, string)[] InternalDb = [("danm.io/selector", """{"app":"db"}"""), ("danm.io/clusterNetwork", "internal")];

    [Test]
    public async Task Endpoints_follow_their_Service_and_go_when_they_are_not_wanted_any_more()
    {
        Service("db", Headless, InternalDb);
        Pod("a", ready: true);
        Pod("b", ready: false);
        Interface("ea", "a", "internal", "10.0.0.1/24", "fd00::1/64");
        Interface("eb", "b", "internal", "10.0.0.2/24");

        await using (var watcher = Start("--endpoints"))
        {
            await ShowsAsync("10.0.0.1 fd00::1 | 10.0.0.2");
            var endpoints = Server.Store.Get("v1", "Endpoints", "default", "db");
            endpoints.At("metadata", "labels", "endpointslice.kubernetes.io/skip-mirror").String().Should().Be("true");
            endpoints.At("metadata", "annotations", "danm.io/clusterNetwork").String().Should().Be("internal");
            endpoints.At("subsets")!.AsArray().Should().ContainSingle().Which.At("ports")!.AsArray().Select(p => p.At("port")!.GetValue<int>()).Should().BeEquivalentTo([5432, 80]);

            Ready("b", true);
            await ShowsAsync("10.0.0.1 10.0.0.2 fd00::1 | ");
            Server.Store.Delete("v1", "Endpoints", "default", "db");
            await ShowsAsync("10.0.0.1 10.0.0.2 fd00::1 | ");
            Change("v1", "Endpoints", "db", e => e["subsets"]![0]!["addresses"]![0]!["ip"] = "10.9.9.9");
            await ShowsAsync("10.0.0.1 10.0.0.2 fd00::1 | ");
            await Task.Delay(3000);
            var version = Version();
            await Task.Delay(2000);
            Version().Should().Be(version, "what is as it shall be is not written");

            Change("v1", "Service", "db", s => ((JsonObject)s["metadata"]!).Remove("annotations"));
            await Netwatcher.Eventually.HoldsAsync(() => Server.Store.Get("v1", "Endpoints", "default", "db").Should().BeNull(), seconds: 10);
            Change("v1", "Service", "db", s => s["metadata"]!["annotations"] = new JsonObject(InternalDb.Select(a => KeyValuePair.Create(a.Item1, (JsonNode?)a.Item2))));
            await ShowsAsync("10.0.0.1 10.0.0.2 fd00::1 | ");
            await watcher.StopAsync();
        }

        await using var without = Start();
        await Netwatcher.Eventually.HoldsAsync(() => Server.Store.Get("v1", "Endpoints", "default", "db").Should().BeNull(), seconds: 10);
        Endpoints("db").Should().NotBeEmpty("the slices stay");
    }

    [Test]
    public async Task The_originals_Endpoints_are_taken_over_and_a_strangers_are_not()
    {
        Pod("a", ready: true);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        foreach (var name in (string[])["old", "strange"])
            Service(name, Headless, InternalDb);
        Existing("old", Copied);
        Existing("strange", "{}");

        await using var watcher = Start("--endpoints");

        await ShowsAsync("10.0.0.1 | ", "old");
        Server.Store.Get("v1", "Endpoints", "default", "old").At("metadata", "labels", "endpoints.kubernetes.io/managed-by").String().Should().Be("svcwatcher.danm.io");
        await Netwatcher.Eventually.HoldsAsync(
            () => Server.Store.List("v1", "Event").Select(e => $"{e.At("involvedObject", "name")} {e.At("reason")}").Should().Equal("strange EndpointsNotDanms"), seconds: 10);
        Shown("strange").Should().Be("10.7.7.7 | ");
        Endpoints("strange").Should().Equal("10.0.0.1 a");
    }

    [Test]
    public async Task What_the_original_left_goes_where_no_Endpoints_are_wanted()
    {
        Pod("a", ready: true);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        Service("db", Headless, InternalDb);
        Service("lost", """{"clusterIP":"None","selector":{"app":"db"},"ports":[{"port":1}]}""");
        foreach (var (name, annotations) in ((string, string)[])[("db", Copied), ("lost", Copied), ("strange", "{}")])
            Existing(name, annotations);

        await using var watcher = Start();

        await BecomesAsync("db", "10.0.0.1 a");
        await Netwatcher.Eventually.HoldsAsync(() => Server.Store.Get("v1", "Endpoints", "default", "db").Should().BeNull(), seconds: 10);
        (Shown("lost"), Shown("strange")).Should().Be(("10.7.7.7 | ", "10.7.7.7 | "), "those are Kubernetes' and a stranger's");
    }

    [Test]
    public async Task It_waits_while_the_original_renews_its_lock()
    {
        Service("db", Headless, InternalDb);
        Pod("a", ready: true);
        Interface("ea", "a", "internal", "10.0.0.1/24");
        Server.Store.Create(JsonNode.Parse("""{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"danm-svc-controller","namespace":"kube-system"}}""")!);
        Renew(0);

        await using var watcher = Start();
        for (var i = 1; i < 6; i++)
        {
            await Task.Delay(1000);
            Renew(i);
        }

        Slices("db").Should().BeEmpty("the original works");
        watcher.Log.Should().Contain("waits for the original").And.Contain("master-1");
        await BecomesAsync("db", "10.0.0.1 a");

        // The holder's clock is two minutes behind.
        void Renew(int times)
        {
            var present = (JsonObject)Server.Store.Get("v1", "Endpoints", "kube-system", "danm-svc-controller")!.DeepClone();
            present["metadata"]!["annotations"] = new JsonObject
            {
                ["control-plane.alpha.kubernetes.io/leader"] = new JsonObject
                {
                    ["holderIdentity"] = "master-1", ["leaseDurationSeconds"] = 4, ["leaderTransitions"] = 0,
                    ["acquireTime"] = "2026-01-01T00:00:00Z", ["renewTime"] = $"{DateTime.UtcNow.AddMinutes(-2).AddSeconds(times):yyyy-MM-ddTHH:mm:ssZ}",
                }.ToJsonString(),
            };
            Server.Store.Update(present);
        }
    }

    private void Existing(string name, string annotations) => Server.Store.Create(JsonNode.Parse($$"""
        {"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"{{name}}","namespace":"default","annotations":{{annotations}}},"subsets":[{"addresses":[{"ip":"10.7.7.7"}],"ports":[{"port":1}]}]}
        """)!);

    private string? Version() => Server.Store.Get("v1", "Endpoints", "default", "db").At("metadata", "resourceVersion").String();

    private Task ShowsAsync(string addresses, string service = "db") => Netwatcher.Eventually.HoldsAsync(() => Shown(service).Should().Be(addresses), seconds: 20);

    /// <summary>Ready addresses, and others after a bar.</summary>
    private string Shown(string service)
    {
        var subsets = Server.Store.Get("v1", "Endpoints", "default", service).At("subsets") as JsonArray ?? [];
        return $"{Of("addresses")} | {Of("notReadyAddresses")}";

        string Of(string member) => string.Join(' ', subsets.SelectMany(s => s.At(member) as JsonArray ?? []).Select(a => a.At("ip").String()).Order(StringComparer.Ordinal));
    }
}
