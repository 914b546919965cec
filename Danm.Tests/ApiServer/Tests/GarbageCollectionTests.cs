using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>What becomes of objects when their owners go. A kube-apiserver alone does none of it, so this is for the embedded one.</summary>
public sealed class GarbageCollectionTests
{
    private EmbeddedCluster cluster = null!;

    [SetUp]
    public async Task Start() => cluster = await EmbeddedCluster.StartAsync();

    [TearDown]
    public async Task Stop() => await cluster.DisposeAsync();

    [Test]
    public async Task Objects_go_with_their_owner_and_theirs_with_them()
    {
        var service = Create("v1", "Service", "a", """{"spec":{"clusterIP":"None"}}""");
        var slice = Create("discovery.k8s.io/v1", "EndpointSlice", "a-1", """{"addressType":"IPv4"}""", service);
        Create("v1", "ConfigMap", "of-slice", "{}", slice);
        Create("v1", "ConfigMap", "of-nobody", "{}");
        await cluster.DeleteAsync("v1", "Service", "a");
        Left("discovery.k8s.io/v1", "EndpointSlice").Should().BeEmpty();
        Left("v1", "ConfigMap").Should().Equal("of-nobody");
    }

    [Test]
    public async Task An_object_stays_while_one_owner_does_and_forgets_the_other()
    {
        var (first, second) = (Create("v1", "Secret", "a", "{}"), Create("v1", "Secret", "b", "{}"));
        Create("v1", "ConfigMap", "c", "{}", first, second);
        await cluster.DeleteAsync("v1", "Secret", "a");
        Owners("c").Should().Equal("b");
        await cluster.DeleteAsync("v1", "Secret", "b");
        Left("v1", "ConfigMap").Should().BeEmpty();
    }

    [TestCase("""{"apiVersion":"v1","kind":"Secret","name":"a","uid":"another"}""", "")]
    [TestCase("""{"apiVersion":"v1","kind":"Secret","name":"b","uid":"UID"}""", "")]
    [TestCase("""{"apiVersion":"v1","kind":"ServiceAccount","name":"a","uid":"UID"}""", "")]
    [TestCase("""{"apiVersion":"v1","kind":"Secret","name":"a","uid":"UID"}""", "c")]
    [TestCase("""{"apiVersion":"example.io/v1","kind":"Unknown","name":"a","uid":"UID"}""", "c")]
    public void An_owner_is_meant_by_kind_name_and_uid(string reference, string left)
    {
        var owner = Create("v1", "Secret", "a", "{}");
        var body = Body("v1", "ConfigMap", "c", "{}");
        body["metadata"]!["ownerReferences"] = new JsonArray(JsonNode.Parse(reference.Replace("UID", owner.At("metadata", "uid").String())));
        cluster.Server.Store.Create(body);
        string.Join(' ', Left("v1", "ConfigMap")).Should().Be(left);
    }

    [Test]
    public void Owners_are_of_the_same_namespace_or_of_none()
    {
        var stranger = Body("v1", "Secret", "a", "{}");
        stranger["metadata"]!["namespace"] = "kube-system";
        Create("v1", "ConfigMap", "c", "{}", cluster.Server.Store.Create(stranger));
        Create("v1", "ConfigMap", "d", "{}", cluster.Server.Store.Get("v1", "Namespace", null, "kube-system")!);
        Left("v1", "ConfigMap").Should().Equal("d");
    }

    [Test]
    public async Task Changed_to_an_owner_that_is_gone_it_goes()
    {
        var owner = Create("v1", "Secret", "a", "{}");
        await cluster.DeleteAsync("v1", "Secret", "a");
        var item = Create("v1", "ConfigMap", "c", "{}");
        item["metadata"]!["ownerReferences"] = new JsonArray(Reference(owner));
        await cluster.UpdateAsync(item);
        Left("v1", "ConfigMap").Should().BeEmpty();
    }

    [TestCase("Orphan", "c")]
    [TestCase("Background", "")]
    [TestCase("Foreground", "")]
    public async Task Deletions_say_what_is_to_become_of_the_others(string policy, string left)
    {
        Create("v1", "ConfigMap", "c", "{}", Create("v1", "Secret", "a", "{}"));
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/namespaces/default/secrets/a")
        {
            Content = new StringContent($$"""{"propagationPolicy":"{{policy}}"}"""),
        };
        using var response = await cluster.Http.SendAsync(request);
        response.IsSuccessStatusCode.Should().BeTrue();
        string.Join(' ', Left("v1", "ConfigMap")).Should().Be(left);
        if (left.Length > 0)
            Owners(left).Should().BeEmpty();
    }

    [Test]
    public async Task Goes_too_when_the_owner_goes_with_its_definition()
    {
        await cluster.ApplyAsync(WireTests.Data("widgets.yaml"));
        Create("v1", "ConfigMap", "c", "{}", Create("example.io/v1", "Widget", "a", """{"spec":{"size":3}}"""));
        await cluster.DeleteAsync("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.io");
        Left("v1", "ConfigMap").Should().BeEmpty();
    }

    [Test]
    public async Task Stays_where_nobody_collects()
    {
        await using var alone = await EmbeddedCluster.StartAsync(new ApiServerOptions { CollectsGarbage = false });
        var owner = alone.Server.Store.Create(Body("v1", "Secret", "a", "{}"));
        var item = Body("v1", "ConfigMap", "c", "{}");
        item["metadata"]!["ownerReferences"] = new JsonArray(Reference(owner));
        alone.Server.Store.Create(item);
        await alone.DeleteAsync("v1", "Secret", "a");
        alone.Server.Store.Count("v1", "ConfigMap").Should().Be(1);
    }

    private JsonObject Create(string apiVersion, string kind, string name, string fields, params JsonObject[] owners)
    {
        var body = Body(apiVersion, kind, name, fields);
        if (owners.Length > 0)
            body["metadata"]!["ownerReferences"] = new JsonArray([.. owners.Select(Reference)]);
        return cluster.Server.Store.Create(body);
    }

    private static JsonObject Body(string apiVersion, string kind, string name, string fields)
    {
        var body = (JsonObject)JsonNode.Parse(fields)!;
        (body["apiVersion"], body["kind"], body["metadata"]) = (apiVersion, kind, new JsonObject { ["name"] = name });
        return body;
    }

    private static JsonNode Reference(JsonObject owner) => new JsonObject
    {
        ["apiVersion"] = owner["apiVersion"]!.DeepClone(), ["kind"] = owner["kind"]!.DeepClone(),
        ["name"] = owner.At("metadata", "name")!.DeepClone(), ["uid"] = owner.At("metadata", "uid")!.DeepClone(),
    };

    private IEnumerable<string?> Left(string apiVersion, string kind) => cluster.Server.Store.List(apiVersion, kind).Select(o => o.At("metadata", "name").String());

    private IEnumerable<string?> Owners(string name) =>
        (cluster.Server.Store.Get("v1", "ConfigMap", "default", name).At("metadata", "ownerReferences") as JsonArray ?? []).Select(o => o.At("name").String());
}
