using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Requests on behalf of somebody else.</summary>
public sealed class ImpersonationTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private EmbeddedApiServer server = null!;
    private HttpClient helpdesk = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { EnforcesRbac = true, Tokens = new Dictionary<string, string> { ["helpdesk-token"] = "helpdesk" } });
        helpdesk = TestCluster.Client(server.Url, server.CertificateAuthority.Certificate, "helpdesk-token");
        Bind("readers", "users", """[{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}]""", "User", "reader");
        Bind("staff", "staff", """[{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}]""", "Group", "staff");
    }

    [TearDown]
    public async Task Stop()
    {
        helpdesk.Dispose();
        await server.DisposeAsync();
    }

    [Test]
    public async Task One_who_may_is_who_he_says()
    {
        Bind("helpers", "helpers", """
            [{"apiGroups":[""],"resources":["users"],"resourceNames":["reader"],"verbs":["impersonate"]},{"apiGroups":[""],"resources":["groups"],"resourceNames":["staff"],"verbs":["impersonate"]},
             {"apiGroups":[""],"resources":["serviceaccounts"],"verbs":["impersonate"]},
             {"apiGroups":["authentication.k8s.io"],"resources":["userextras/authentication.kubernetes.io/node-name"],"resourceNames":["a"],"verbs":["impersonate"]}]
            """, "User", "helpdesk");

        (await AskAsync(Maps, new("reader", Group: null))).Code.Should().Be(200);
        server.Requests.All[^1].User.Should().Be("reader");
        (await AskAsync("/api/v1/pods", new("reader", Group: null))).Message.Should().Contain("User \"reader\" cannot list resource \"pods\"");
        (await AskAsync("/api/v1/pods", new("reader", Group: "staff"))).Code.Should().Be(200);
        (await AskAsync(Maps, new("reader", "a", null))).Code.Should().Be(200);
        (await AskAsync(Maps, new("system:serviceaccount:default:one", Group: null))).Message.Should().Contain("User \"system:serviceaccount:default:one\" cannot list");

        (await AskAsync(Maps, new("root", Group: null))).Message.Should().Be("users \"root\" is forbidden: User \"helpdesk\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope");
        (await AskAsync(Maps, new("reader", Group: "system:masters"))).Message.Should().Contain("groups \"system:masters\" is forbidden: User \"helpdesk\" cannot impersonate");
        (await AskAsync(Maps, new("reader", "b", null))).Message.Should().StartWith("userextras.authentication.k8s.io \"b\" is forbidden: User \"helpdesk\" cannot impersonate");
    }

    [Test]
    public async Task One_who_may_not_is_refused()
    {
        (await AskAsync(Maps, new("reader", Group: null))).Code.Should().Be(403);
        (await AskAsync(Maps, null)).Message.Should().Contain("User \"helpdesk\" cannot list");
    }

    // What webhooks and policies are told of a token's holder.
    [Test]
    public void The_holder_of_a_bound_token_is_known_with_what_it_is_bound_to()
    {
        var user = TokenClaims.Holder(EndToEnd.NodeToken.For("node-1"), "system:serviceaccount:kube-system:danm").ToJson();

        user.At("extra", "authentication.kubernetes.io/node-name").Strings().Should().Equal("node-1");
        user["groups"].Strings().Should().Equal("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated");
        user["uid"].String().Should().NotBeNullOrEmpty();
        TokenClaims.Holder("some.other.text", "bob").ToJson().ToJsonString().Should().Be("""{"username":"bob","groups":["system:authenticated"]}""");
    }

    private async Task<(int Code, string Message)> AskAsync(string path, Impersonated? user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        user?.ApplyTo(request);
        using var response = await helpdesk.SendAsync(request);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync()).At("message").String() ?? "");
    }

    private void Bind(string name, string role, string rules, string kind, string subject)
    {
        server.Store.Create(JsonNode.Parse($$$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"{{{role}}}"},"rules":{{{rules}}}}""")!);
        server.Store.Create(JsonNode.Parse($$$"""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"{{{name}}}"},"subjects":[{"kind":"{{{kind}}}","name":"{{{subject}}}"}],
             "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{{{role}}}"}}
            """)!);
    }
}
