using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>OwnerReferencesPermissionEnforcement, where access is controlled.</summary>
public sealed class OwnerPermissionTests
{
    private const string Token = "token-of-writer", Path = "/api/v1/namespaces/default/configmaps";

    private EmbeddedApiServer server = null!;
    private HttpClient http = null!;
    private string uid = "";

    [SetUp]
    public async Task StartServer()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { EnforcesRbac = true, Tokens = new Dictionary<string, string> { [Token] = "writer" } });
        http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } }) { BaseAddress = server.Url };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Token);
        uid = server.Store.Create(JsonNode.Parse("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"owner"}}""")!).At("metadata", "uid").String()!;
        Store("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"writer"},
             "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"writer"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"writer"}]}
            """);
    }

    [TearDown]
    public async Task StopServer()
    {
        http.Dispose();
        await server.DisposeAsync();
    }

    [TestCase("", "false", HttpStatusCode.Created)]
    [TestCase("", "true", HttpStatusCode.Forbidden)]
    [TestCase("""{"apiGroups":[""],"resources":["secrets/finalizers"],"verbs":["update"]}""", "true", HttpStatusCode.Created)]
    [TestCase("""{"apiGroups":[""],"resources":["secrets/finalizers"],"resourceNames":["another"],"verbs":["update"]}""", "true", HttpStatusCode.Forbidden)]
    [TestCase("""{"apiGroups":[""],"resources":["secrets"],"verbs":["update"]}""", "true", HttpStatusCode.Forbidden)]
    public async Task Who_lets_an_object_block_its_owners_deletion_may_write_the_owners_finalizers(string rule, string blocks, HttpStatusCode expected)
    {
        Role("create", rule);

        (await SendAsync(HttpMethod.Post, Path, Owned(blocks))).Should().Be(expected);
    }

    [TestCase("", HttpStatusCode.Forbidden)]
    [TestCase("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["delete"]}""", HttpStatusCode.OK)]
    public async Task Who_changes_an_objects_owners_may_delete_it(string rule, HttpStatusCode expected)
    {
        Role("update", rule);
        Store("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}""");

        (await SendAsync(HttpMethod.Put, $"{Path}/c", Owned("false"))).Should().Be(expected);
        (await SendAsync(HttpMethod.Put, $"{Path}/c", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"b"}}""")).Should().Be(
            HttpStatusCode.OK, "that it has none changes nothing, or may be changed");
    }

    private string Owned(string blocks) => $$"""
        {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","ownerReferences":[{"apiVersion":"v1","kind":"Secret","name":"owner","uid":"{{uid}}","blockOwnerDeletion":{{blocks}} }]} }
        """;

    private void Role(string verb, string rule) => Store($$"""
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"writer"},
         "rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["{{verb}}"]}{{(rule.Length > 0 ? "," : "")}}{{rule}}]}
        """);

    private void Store(string json) => server.Store.Create(JsonNode.Parse(json)!);

    private async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, string json)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }
}
