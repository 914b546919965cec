using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Each test has a webhook and its configurations to itself.</summary>
public abstract class AdmissionFixture : ClusterFixture
{
    protected const string Configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    protected const string ConfigMaps = "/api/v1/namespaces/default/configmaps";
    protected const string Widgets = "/apis/example.io/v1/namespaces/default/widgets";
    protected const string HookName = "hook.example.io";

    private readonly List<string> configured = [];

    protected WebhookHost Hook { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task DefineWidgets() => await Cluster.ApplyAsync(WireTests.Data("widgets.yaml"));

    [SetUp]
    public async Task StartHook() => Hook = await WebhookHost.StartAsync();

    [TearDown]
    public async Task StopHook()
    {
        await UnconfigureAsync();
        await Hook.DisposeAsync();
    }

    protected static JsonObject ConfigMap(string name, string value = "1") => (JsonObject)JsonNode.Parse(
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"},"data":{"k":"{{{value}}}"}}""")!;

    protected static JsonObject Widget(string name, int size = 3) => (JsonObject)JsonNode.Parse(
        $$$"""{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"{{{name}}}"},"spec":{"size":{{{size}}}}}""")!;

    /// <summary>A rule for ConfigMaps and Widgets, which are what the tests write.</summary>
    protected JsonObject Webhook(Action<JsonObject>? change = null)
    {
        var webhook = (JsonObject)JsonNode.Parse("""
            {"name": "hook.example.io", "sideEffects": "NoneOnDryRun", "admissionReviewVersions": ["v1", "v1beta1"],
             "rules": [{"operations": ["*"], "apiGroups": ["", "example.io"], "apiVersions": ["v1"], "resources": ["configmaps", "widgets"]}]}
            """)!;
        webhook["clientConfig"] = Hook.ClientConfig();
        change?.Invoke(webhook);
        return webhook;
    }

    protected async Task ConfigureAsync(params JsonObject[] webhooks) => await ConfigureAsync(NewName(), webhooks);

    protected async Task ConfigureAsync(string name, params JsonObject[] webhooks)
    {
        (await Send("POST", Configurations, Configuration(name, webhooks))).Code.Should().Be(201);
        configured.Add(name);
        if (Cluster is EnvtestCluster)
            await Task.Delay(TimeSpan.FromSeconds(2)); // its webhooks come from a watch
    }

    protected async Task UnconfigureAsync()
    {
        foreach (var name in configured)
            await Send("DELETE", $"{Configurations}/{name}");
        if (configured.Count > 0 && Cluster is EnvtestCluster)
            await Task.Delay(TimeSpan.FromSeconds(2));
        configured.Clear();
    }

    protected static JsonObject Configuration(string name, params JsonObject[] webhooks) => new()
    {
        ["apiVersion"] = "admissionregistration.k8s.io/v1", ["kind"] = "MutatingWebhookConfiguration",
        ["metadata"] = new JsonObject { ["name"] = name }, ["webhooks"] = new JsonArray([.. webhooks]),
    };
}
