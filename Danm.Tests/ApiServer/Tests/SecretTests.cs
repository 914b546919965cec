using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Secrets, on an embedded or real server.</summary>
public sealed class SecretTests : AdmissionFixture
{
    private const string Secrets = "/api/v1/namespaces/default/secrets";

    [Test]
    public async Task Plain_text_is_stored_as_data()
    {
        var (code, made, _) = await Send("POST", Secrets, Secret("""{"data":{"a":"MQ==","b":""},"stringData":{"a":"2","c":"ä"}}"""));
        code.Should().Be(201);
        JsonNode.DeepEquals(made["data"], JsonNode.Parse("""{"a":"Mg==","b":"","c":"w6Q="}""")).Should().BeTrue("data is {0}", made["data"]!.ToJsonString());
        made["stringData"].Should().BeNull();
        made["type"].String().Should().Be("Opaque");
    }

    [TestCase("""{"data":{"a":"no base64"}}""", 400, "illegal base64 data")]
    [TestCase("""{"data":{"a/b":"MQ=="}}""", 422, "data[a/b]")]
    [TestCase("""{"type":"kubernetes.io/tls","data":{"tls.crt":"MQ=="}}""", 422, "data[tls.key]: Required value")]
    public async Task Refused(string fields, int code, string message)
    {
        var (answered, body, _) = await Send("POST", Secrets, Secret(fields));
        answered.Should().Be(code);
        body["message"].String().Should().Contain(message);
    }

    [Test]
    public async Task Its_type_stays_and_an_immutable_one_altogether()
    {
        var (_, made, _) = await Send("POST", Secrets, Secret("""{"immutable":true,"data":{"a":"MQ=="}}"""));
        var path = $"{Secrets}/{made.At("metadata", "name").String()}";
        (await Send("PATCH", path, JsonNode.Parse("""{"type":"other"}"""), "application/merge-patch+json")).Code.Should().Be(422);
        (await Send("PATCH", path, JsonNode.Parse("""{"data":{"a":"Mg=="}}"""), "application/merge-patch+json")).Code.Should().Be(422);
        (await Send("PATCH", path, JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}}}"""), "application/merge-patch+json")).Code.Should().Be(200);
    }

    private JsonObject Secret(string fields)
    {
        var secret = (JsonObject)JsonNode.Parse(fields)!;
        secret["apiVersion"] = "v1";
        secret["kind"] = "Secret";
        secret["metadata"] = new JsonObject { ["name"] = NewName() };
        return secret;
    }
}
