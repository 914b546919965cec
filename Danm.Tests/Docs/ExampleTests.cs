using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Networks;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Docs;

/// <summary>What the documentation shows can be copied: the server takes it, no rule forbids it, and every network that a Pod names is shown too.</summary>
public sealed class ExampleTests
{
    private static readonly string[] NetworkKinds = ["DanmNet", "TenantNetwork", "ClusterNetwork"];

    private ITestCluster cluster = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync(Path.Combine(DanmBinary.Repository, "manifests/crds"));
        foreach (var ns in Pages.SelectMany(Objects).Select(Namespace).Distinct().Except(["default", "kube-system"]))
            await cluster.CreateAsync(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } });
    }

    [OneTimeTearDown]
    public async Task Stop() => await cluster.DisposeAsync();

    private static IEnumerable<Page> Pages => Page.All().Where(p => p.Blocks("yaml").Any());

    [TestCaseSource(nameof(Pages))]
    public async Task The_server_takes_every_object_of_ours_strictly(object of)
    {
        foreach (var one in Objects((Page)of).Where(o => o["apiVersion"].String() == $"{ApiNames.Group}/v1"))
        {
            var path = one["kind"].String() is "ClusterNetwork" or "TenantConfig"
                ? $"/apis/{ApiNames.Group}/v1/{Plural(one)}"
                : $"/apis/{ApiNames.Group}/v1/namespaces/{Namespace(one)}/{Plural(one)}";
            using var content = new StringContent(one.ToJsonString());
            content.Headers.ContentType = new("application/json");
            using var response = await cluster.Http.PostAsync($"{path}?fieldValidation=Strict&dryRun=All", content);
            ((int)response.StatusCode).Should().Be(201, "{0}: {1}: {2}", of, one.ToJsonString(), await response.Content.ReadAsStringAsync());
            response.Headers.Contains("Warning").Should().BeFalse();
        }
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_network_keeps_to_the_rules(object of)
    {
        foreach (var one in Objects((Page)of).Where(o => NetworkKinds.Contains(o["kind"].String())))
        {
            var network = JsonSerializer.Deserialize(one.ToJsonString(), ApiJson.Default.Network)!;
            network.Kind = Enum.Parse<NetworkKind>(one["kind"].String()!);
            NetworkRules.Check(network).Should().BeEmpty("{0} shows {1}", of, one.ToJsonString());
        }
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_Pod_asks_for_networks_of_the_page(object of)
    {
        var objects = Objects((Page)of).ToList();
        // The installer makes the last one.
        var shown = objects.Where(o => NetworkKinds.Contains(o["kind"].String())).Select(o => (o["kind"].String(), o.At("metadata", "name").String()))
            .Append((nameof(NetworkKind.ClusterNetwork), DefaultNetwork.Name)).ToHashSet();
        foreach (var template in objects.Select(o => o["kind"].String() == "Pod" ? o : o.At("spec", "template")).OfType<JsonObject>())
        {
            var annotations = (template.At("metadata", "annotations") as JsonObject ?? []).ToDictionary(a => a.Key, a => a.Value.String()!);
            foreach (var request in PodInterfaces.Read(annotations, "default"))
                shown.Should().Contain((request.Network.Kind.ToString(), request.Network.Name), "{0} has a Pod that asks for it", of);
        }
    }

    private static IEnumerable<JsonObject> Objects(Page page) => page.Blocks("yaml").SelectMany(Yaml.Documents);

    private static string Plural(JsonObject one) => $"{one["kind"].String()!.ToLowerInvariant()}s";

    private static string Namespace(JsonObject one) => one.At("metadata", "namespace").String() ?? "default";
}
