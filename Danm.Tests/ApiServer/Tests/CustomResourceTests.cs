using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Which CustomResourceDefinitions are refused.</summary>
public sealed partial class CustomResourceTests
{
    private EmbeddedApiServer server = null!;

    [OneTimeSetUp]
    public async Task Start() => server = await EmbeddedApiServer.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await server.DisposeAsync();

    [TestCase("""{"properties": {"a": {"description": "no type"}}}""", "properties[a].type: Required value")]
    [TestCase("""{"properties": {"a": {"type": "array"}}}""", "properties[a].items: Required value")]
    [TestCase("""{"properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}}}""", "mutual exclusive")]
    [TestCase("""{"properties": {"a": {"type": "string", "pattern": "(?=x)"}}}""", "must be a valid regular expression")]
    [TestCase("""{"properties": {"a": {"type": "string", "pattern": "("}}}""", "must be a valid regular expression")]
    [TestCase("""{"properties": {"a": {"type": "integer", "default": "x"}}}""", "must be of type integer")]
    [TestCase("""{"properties": {"a": {"anyOf": [{"description": "x"}], "type": "string"}}}""", "must be undefined to be structural")]
    [TestCase("""{"properties": {"a": {"type": "string", "x-kubernetes-validations": [{"rule": "self == 'x'"}]}}}""", "estimated rule cost exceeds budget")]
    [TestCase("""{"properties": {"a": {"type": "array", "items": {"type": "string", "maxLength": 3}, "x-kubernetes-validations": [{"rule": "self.all(x, x != '')"}]}}}""", "estimated rule cost exceeds budget")]
    [TestCase("""{"properties": {"a": {"type": "array", "items": {"type": "string", "maxLength": 3, "x-kubernetes-validations": [{"rule": "self != ''"}]}}}}""", "estimated rule cost exceeds budget")]
    [TestCase("""{"properties": {"a": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}}""", "oldSelf cannot be used on the uncorrelatable portion")]
    [TestCase("""{"x-kubernetes-validations": [{"rule": "self.b == 1"}]}""", "undefined field 'b'")]
    [TestCase("""{"x-kubernetes-validations": [{"rule": "other == 1"}]}""", "undeclared reference to 'other'")]
    [TestCase("""{"x-kubernetes-validations": [{"rule": "has(self.a"}], "properties": {"a": {"type": "integer"}}}""", "compilation failed")]
    [TestCase("""{"properties": {"metadata": {"type": "object", "description": "x"}}}""", "properties[metadata]: Forbidden: must not specify anything other than name and generateName")]
    [TestCase("""{"properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}""", "properties[metadata]: Forbidden")]
    [TestCase("""{"properties": {"kind": {"type": "integer"}}}""", "properties[kind].type: Invalid value")]
    [TestCase("""{"properties": {"a": {"type": "string", "x-kubernetes-embedded-resource": true}}}""", "does not implement")]
    public void Refuses(string schema, string why)
    {
        var create = () => server.Store.Create(Definition(schema));
        create.Should().Throw<StatusException>().WithMessage($"*{why}*");
    }

    [TestCase("""{"x-kubernetes-validations": [{"rule": "!has(self.a) || self.a.all(x, x.size() < 3)"}], "properties": {"a": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 3}}}}""")]
    [TestCase("""{"x-kubernetes-validations": [{"rule": "has(self.a) || has(self.b)"}], "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "string"}}}}""")]
    [TestCase("""{"properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}}""")]
    [TestCase("""{"properties": {"a": {"type": "string", "maxLength": 5, "x-kubernetes-validations": [{"rule": "self.matches('^[a-z]+$') || self in ['', 'A']"}]}}}""")]
    public void Accepts(string schema)
    {
        server.Store.Create(Definition(schema)).At("status", "acceptedNames", "kind").String().Should().Be("Thing");
        server.Store.Delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", null, "things.example.io");
    }

    [Test]
    public async Task Listens_on_a_socket_handed_in()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var descriptor = Duplicate((int)socket.Handle);
        socket.Dispose();
        await using var other = await EmbeddedApiServer.StartAsync(new ApiServerOptions { ListenHandles = [descriptor] });
        foreach (var url in (Uri[])[other.Url, new($"https://127.0.0.1:{port}")])
        {
            using var client = Clusters.TestCluster.Client(url, other.CertificateAuthority.Certificate, other.AdminToken);
            (await client.GetStringAsync("/version")).Should().Contain("embedded");
        }
    }

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    private static JsonNode Definition(string schema)
    {
        var root = JsonNode.Parse(schema)!;
        root["type"] = "object";
        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject { ["name"] = "things.example.io" },
            ["spec"] = new JsonObject
            {
                ["group"] = "example.io",
                ["scope"] = "Cluster",
                ["names"] = new JsonObject { ["kind"] = "Thing", ["plural"] = "things" },
                ["versions"] = new JsonArray(new JsonObject
                {
                    ["name"] = "v1", ["served"] = true, ["storage"] = true,
                    ["schema"] = new JsonObject { ["openAPIV3Schema"] = root },
                }),
            },
        };
    }
}
