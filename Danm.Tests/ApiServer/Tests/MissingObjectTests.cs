using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Writes to what is not there, on an embedded or real server: some kinds are made by it.</summary>
public sealed class MissingObjectTests : ClusterFixture
{
    [TestCase("v1", "Endpoints", "/api/v1/namespaces/default/endpoints", "{}", 201)]
    [TestCase("v1", "Service", "/api/v1/namespaces/default/services", """{"spec":{"clusterIP":"None"}}""", 201)]
    [TestCase("coordination.k8s.io/v1", "Lease", "/apis/coordination.k8s.io/v1/namespaces/default/leases", "{}", 201)]
    [TestCase("discovery.k8s.io/v1", "EndpointSlice", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", """{"addressType":"IPv4"}""", 404)]
    [TestCase("v1", "ConfigMap", "/api/v1/namespaces/default/configmaps", "{}", 404)]
    public async Task Replaced(string apiVersion, string kind, string path, string fields, int code)
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
}
