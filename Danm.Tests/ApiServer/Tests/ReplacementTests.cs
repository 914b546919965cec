using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>PUTs of what is not there, which make some kinds, and of what is, on an embedded or real server.</summary>
public sealed class ReplacementTests : ClusterFixture
{
    [TestCase("v1", "Endpoints", "/api/v1/namespaces/default/endpoints", "{}", 201)]
    [TestCase("v1", "Service", "/api/v1/namespaces/default/services", """{"spec":{"clusterIP":"None"}}""", 201)]
    [TestCase("coordination.k8s.io/v1", "Lease", "/apis/coordination.k8s.io/v1/namespaces/default/leases", "{}", 201)]
    [TestCase("discovery.k8s.io/v1", "EndpointSlice", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", """{"addressType":"IPv4"}""", 404)]
    [TestCase("v1", "ConfigMap", "/api/v1/namespaces/default/configmaps", "{}", 404)]
    public async Task What_is_not_there(string apiVersion, string kind, string path, string fields, int code)
    {
        var body = New(apiVersion, kind, fields);
        var place = $"{path}/{body.At("metadata", "name").String()}";
        var (answered, answer, _) = await Send("PUT", place, body);
        answered.Should().Be(code, "{0}", answer);
        (await Send("PATCH", $"{path}/none", JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}}}"""), "application/merge-patch+json")).Code.Should().Be(404);

        // What was there once, and is read and written back when it has gone, is no new one.
        if (code == 404)
            answer = (await Send("POST", path, body)).Body;
        await Send("DELETE", place);
        (answered, answer, _) = await Send("PUT", place, answer);
        answered.Should().Be(409, "{0}", answer);
        answer["message"].String().Should().Contain("UID in object meta: ");
        (await Send("GET", place)).Code.Should().Be(404);
    }

    [TestCase("v1", "Endpoints", "/api/v1/namespaces/default/endpoints", "{}", 200)]
    [TestCase("v1", "Service", "/api/v1/namespaces/default/services", """{"spec":{"clusterIP":"None"}}""", 200)]
    [TestCase("discovery.k8s.io/v1", "EndpointSlice", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", """{"addressType":"IPv4"}""", 200)]
    [TestCase("coordination.k8s.io/v1", "Lease", "/apis/coordination.k8s.io/v1/namespaces/default/leases", "{}", 422)]
    [TestCase("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", "{}", 422)]
    public async Task What_is_there_by_one_who_names_no_version(string apiVersion, string kind, string path, string fields, int code)
    {
        var (_, made, _) = await Send("POST", path, New(apiVersion, kind, fields));
        var place = $"{path}/{made.At("metadata", "name").String()}";
        made["metadata"]!["labels"] = new JsonObject { ["a"] = "b" };
        var unversioned = (JsonObject)made.DeepClone();
        ((JsonObject)unversioned["metadata"]!).Remove("resourceVersion");
        var (answered, answer, _) = await Send("PUT", place, unversioned);
        answered.Should().Be(code, "{0}", answer);
        (await Send("PUT", place, made)).Code.Should().Be(code == 422 ? 200 : 409, "what has a version must have the present one");
        await Send("DELETE", place);
    }
}
