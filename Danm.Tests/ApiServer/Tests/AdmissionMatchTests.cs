using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Which requests a webhook is asked about.</summary>
public sealed class AdmissionMatchTests : AdmissionFixture
{
    private const string Any = """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*/*"]}""";

    [TestCase("create", """{"operations":["CREATE"],"apiGroups":["example.io"],"apiVersions":["v1"],"resources":["widgets"]}""", true)]
    [TestCase("create", """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}""", true)]
    [TestCase("create", Any, true)]
    [TestCase("create", """{"operations":["UPDATE","DELETE"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}""", false)]
    [TestCase("create", """{"operations":["*"],"apiGroups":[""],"apiVersions":["*"],"resources":["*"]}""", false)]
    [TestCase("create", """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["configmaps"]}""", false)]
    [TestCase("create", """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["widgets/status"]}""", false)]
    [TestCase("create", """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"],"scope":"Cluster"}""", false)]
    [TestCase("create", """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"],"scope":"Namespaced"}""", true)]
    [TestCase("status", """{"operations":["UPDATE"],"apiGroups":["example.io"],"apiVersions":["*"],"resources":["widgets"]}""", false)]
    [TestCase("status", """{"operations":["UPDATE"],"apiGroups":["example.io"],"apiVersions":["*"],"resources":["widgets/status"]}""", true)]
    [TestCase("status", """{"operations":["UPDATE"],"apiGroups":["example.io"],"apiVersions":["*"],"resources":["*"]}""", false)]
    [TestCase("status", """{"operations":["UPDATE"],"apiGroups":["example.io"],"apiVersions":["*"],"resources":["*/status"]}""", true)]
    [TestCase("status", """{"operations":["UPDATE"],"apiGroups":["example.io"],"apiVersions":["*"],"resources":["widgets/*"]}""", true)]
    public async Task Rules(string action, string rule, bool asked)
    {
        var widget = Widget(NewName());
        if (action == "status")
            widget = (await Send("POST", Widgets, widget)).Body;
        await ConfigureAsync(Webhook(w => w["rules"] = new JsonArray(JsonNode.Parse(rule))));
        widget["status"] = new JsonObject { ["ready"] = true };
        (await (action == "create" ? Send("POST", Widgets, widget) : Send("PUT", $"{Widgets}/{widget.At("metadata", "name").String()}/status", widget))).Code
            .Should().Be(action == "create" ? 201 : 200);
        Hook.Reviews.Where(Ours).Should().HaveCount(asked ? 1 : 0);
        if (asked)
            Hook.Reviews.Single(Ours)["request"]!["subResource"].String().Should().Be(action == "create" ? null : "status");
    }

    [TestCase("""{"matchLabels":{"kubernetes.io/metadata.name":"default"}}""", true)]
    [TestCase("""{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}}""", false)]
    [TestCase("""{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["default","kube-system"]}]}""", false)]
    [TestCase("""{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"In","values":["default"]}]}""", true)]
    [TestCase("""{"matchExpressions":[{"key":"unheard","operator":"NotIn","values":["a"]}]}""", true)]
    [TestCase("""{"matchExpressions":[{"key":"unheard","operator":"Exists"}]}""", false)]
    [TestCase("""{"matchExpressions":[{"key":"unheard","operator":"DoesNotExist"}]}""", true)]
    public async Task Namespaces_are_selected_by_their_labels(string selector, bool asked)
    {
        await ConfigureAsync(Webhook(w => w["namespaceSelector"] = JsonNode.Parse(selector)));
        await Send("POST", ConfigMaps, ConfigMap(NewName()));
        Hook.Reviews.Should().HaveCount(asked ? 1 : 0);
    }

    [Test]
    public async Task Cluster_scoped_objects_are_in_no_namespace_that_could_exempt_them()
    {
        await ConfigureAsync(Webhook(w =>
        {
            w["namespaceSelector"] = JsonNode.Parse("""{"matchLabels":{"unheard":"yes"}}""");
            w["rules"] = new JsonArray(JsonNode.Parse("""{"operations":["CREATE"],"apiGroups":["*"],"apiVersions":["*"],"resources":["clusterroles","namespaces"]}"""));
        }));
        var name = NewName();
        await Send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", JsonNode.Parse(
            $$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"{{name}}"},"rules":[]}"""));
        Hook.Reviews.Should().ContainSingle().Which["request"]!["namespace"].Should().BeNull();
        await Send("POST", "/api/v1/namespaces", JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}a"}}"""));
        Hook.Reviews.Should().ContainSingle("a Namespace is judged by its own labels");
        await Send("POST", "/api/v1/namespaces", JsonNode.Parse($$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}b","labels":{"unheard":"yes"} } }"""));
        Hook.Reviews.Should().HaveCount(2);
        Hook.Reviews.Last()["request"]!["namespace"].String().Should().Be($"{name}b");
    }

    [Test]
    public async Task A_new_namespace_bears_its_name_as_a_label_already()
    {
        var name = NewName();
        await ConfigureAsync(Webhook(w =>
        {
            w["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = name } };
            w["rules"] = new JsonArray(JsonNode.Parse("""{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["namespaces"]}"""));
        }));
        await Send("POST", "/api/v1/namespaces", JsonNode.Parse($$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}"} }"""));
        Hook.Reviews.Should().ContainSingle();
    }

    [Test]
    public async Task Objects_are_selected_by_their_old_or_new_labels()
    {
        await ConfigureAsync(Webhook(w => w["objectSelector"] = JsonNode.Parse("""{"matchLabels":{"watched":"yes"}}""")));
        var name = NewName();
        await Send("POST", ConfigMaps, ConfigMap(name));
        Hook.Reviews.Should().BeEmpty();
        await Label("yes");
        Hook.Reviews.Should().HaveCount(1);
        await Label("no");
        Hook.Reviews.Should().HaveCount(2, "the old object still had the label");
        await Send("DELETE", $"{ConfigMaps}/{name}");
        Hook.Reviews.Should().HaveCount(2);

        Task Label(string value) => Send("PATCH", $"{ConfigMaps}/{name}", JsonNode.Parse($$$$"""{"metadata":{"labels":{"watched":"{{{{value}}}}"}}}"""), "application/merge-patch+json");
    }

    [Test]
    public async Task Every_object_of_a_collection_that_is_deleted_is_asked_about()
    {
        var label = NewName();
        foreach (var _ in (int[])[1, 2])
        {
            var map = ConfigMap(NewName());
            map["metadata"]!["labels"] = new JsonObject { ["set"] = label };
            await Send("POST", ConfigMaps, map);
        }
        await ConfigureAsync(Webhook());
        (await Send("DELETE", $"{ConfigMaps}?labelSelector=set={label}")).Code.Should().Be(200);
        Hook.Reviews.Should().HaveCount(2).And.OnlyContain(r => r["request"]!["operation"].String() == "DELETE");
    }

    [Test]
    public async Task A_webhook_cannot_guard_the_configurations_of_webhooks()
    {
        var name = NewName();
        Hook.Answer = _ => Task.FromResult(WebhookHost.Deny("no"));
        await ConfigureAsync(name, Webhook(w =>
        {
            w["rules"] = new JsonArray(JsonNode.Parse(Any));
            w["namespaceSelector"] = JsonNode.Parse("""{"matchLabels":{"kubernetes.io/metadata.name":"default"}}""");
        }));
        (await Send("POST", ConfigMaps, ConfigMap(NewName()))).Code.Should().Be(400);
        (await Send("DELETE", $"{Configurations}/{name}")).Code.Should().Be(200);
    }

    [Test]
    public async Task What_a_test_puts_into_the_embedded_store_is_not_admitted()
    {
        if (Cluster is not EmbeddedCluster embedded)
        {
            Assert.Ignore("about the embedded server");
            return;
        }
        Hook.Answer = _ => Task.FromResult(WebhookHost.Deny("no"));
        await ConfigureAsync(Webhook());
        embedded.Server.Store.Create(ConfigMap(NewName()));
        Hook.Reviews.Should().BeEmpty();
    }

    /// <summary>A rule for everything also meets what a real server writes on its own.</summary>
    private static bool Ours(JsonObject review) => review["request"]!["kind"].At("kind").String() == "Widget";
}
