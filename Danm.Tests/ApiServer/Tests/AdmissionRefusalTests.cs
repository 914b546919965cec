using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Denials, webhooks that fail, and what clients are told of them.</summary>
public sealed class AdmissionRefusalTests : AdmissionFixture
{
    [TestCase("""{"allowed":false}""", 400, null, "denied the request without explanation")]
    [TestCase("""{"allowed":false,"status":{"message":"too big"}}""", 400, null, "denied the request: too big")]
    [TestCase("""{"allowed":false,"status":{"reason":"Forbidden"}}""", 400, "Forbidden", "denied the request: Forbidden")]
    [TestCase("""{"allowed":false,"status":{"code":403,"reason":"Forbidden","message":"not yours"}}""", 403, "Forbidden", "denied the request: not yours")]
    [TestCase("""{"allowed":false,"status":{"code":200,"status":"Success","message":"odd"}}""", 400, null, "denied the request: odd")]
    [TestCase("""{"status":{"code":422,"message":"absent is no"}}""", 422, null, "denied the request: absent is no")]
    public async Task Denials(string response, int code, string? reason, string end)
    {
        await ConfigureAsync(Webhook(w => w["failurePolicy"] = "Ignore"));
        Hook.Answer = _ => Task.FromResult((JsonObject)JsonNode.Parse(response)!);
        var (answered, body, _) = await Send("POST", ConfigMaps, ConfigMap(NewName()));
        answered.Should().Be(code);
        body["code"]!.GetValue<int>().Should().Be(code);
        body["status"].String().Should().Be("Failure");
        body["reason"].String().Should().Be(reason);
        body["message"].String().Should().Be($"admission webhook \"{HookName}\" {end}");
    }

    [TestCase("""{"message":"no such device ens9"}""", "Error from server: ", "denied the request: no such device ens9")]
    [TestCase("""{"code":403,"reason":"Forbidden","message":"not yours"}""", "Error from server (Forbidden): ", "denied the request: not yours")]
    public async Task Kubectl_shows_a_denial(string status, string begin, string end)
    {
        await ConfigureAsync(Webhook());
        Hook.Answer = _ => Task.FromResult(new JsonObject { ["allowed"] = false, ["status"] = JsonNode.Parse(status) });
        using var kubectl = await Kubectl.FindAsync(Cluster.Kubeconfig());
        var file = kubectl.Write("map.json", ConfigMap(NewName()).ToJsonString());
        var (code, _, error) = await kubectl.RunAsync("create", "--validate=false", "-f", file);
        code.Should().Be(1);
        error.Should().StartWith(begin).And.EndWith($"admission webhook \"{HookName}\" {end}\n");
    }

    private const string Review = """{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":""";

    [TestCase("nonsense", "failed to call webhook|received invalid webhook response", TestName = "No_answer_is_text")]
    [TestCase(Review + "null}", "webhook response was absent", TestName = "No_answer_is_without_a_response")]
    [TestCase(Review + """{"uid":"other","allowed":true}}""", "expected response.uid=", TestName = "No_answer_is_to_another_review")]
    [TestCase("""{"response":{"uid":"UID","allowed":true}}""", "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview", TestName = "No_answer_is_without_its_kind")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","response":{"uid":"UID","allowed":true}}""", "failed calling webhook", TestName = "No_answer_is_of_another_version")]
    [TestCase(Review + """{"uid":"UID","allowed":true,"patch":"W10="}}""", "webhook returned response.patch but not response.patchType", TestName = "No_patch_is_without_its_type")]
    [TestCase(Review + """{"uid":"UID","allowed":true,"patchType":"JSONPatch"}}""", "webhook returned response.patchType but not response.patch", TestName = "No_type_is_without_its_patch")]
    [TestCase(Review + """{"uid":"UID","allowed":true,"patchType":"JSONPatch","patch":"%%"}}""", "illegal base64 data", TestName = "No_patch_is_in_plain_text")]
    [TestCase(Review + """{"uid":"UID","allowed":true,"patchType":"JSONPatch","patch":"e30="}}""", "received undecodable patch in webhook response", TestName = "No_patch_is_an_object")]
    [TestCase(Review + """{"uid":"UID","allowed":true,"patchType":"Other","patch":"W3sib3AiOiJ0ZXN0In1d"}}""", "unsupported patch type \"Other\"", TestName = "No_patch_is_of_another_type")]
    [TestCase(Review + """{"uid":"UID","allowed":"yes"}}""", "failed calling webhook", TestName = "No_verdict_is_a_string")]
    [TestCase(null, "an error on the server (\"broken\") has prevented the request from succeeding", TestName = "No_answer_is_a_500")]
    public async Task Broken_answers(string? answer, string message)
    {
        Hook.Raw = r => answer?.Replace("UID", r["uid"].String());
        await BothPolicies(w => { }, message.Split('|'));
    }

    [Test]
    public async Task A_webhook_that_answers_late_has_failed()
    {
        using var released = new SemaphoreSlim(0);
        Hook.Answer = async _ =>
        {
            await released.WaitAsync(TimeSpan.FromSeconds(20));
            return WebhookHost.Allow();
        };
        await BothPolicies(w => w["timeoutSeconds"] = 1, "context deadline exceeded");
        Hook.Queries.Should().OnlyContain(q => q.EndsWith("?timeout=1s"));
        released.Release(2);
    }

    [Test]
    public async Task A_webhook_that_does_not_listen_has_failed()
    {
        var closed = await WebhookHost.StartAsync();
        var client = closed.ClientConfig();
        await closed.DisposeAsync();
        await BothPolicies(w => w["clientConfig"] = client.DeepClone(), "onnection refused");
    }

    [Test]
    public async Task A_webhook_of_another_authority_has_failed()
    {
        using var other = new CertificateAuthority();
        await BothPolicies(w => w["clientConfig"] = Hook.ClientConfig(other), "x509: certificate signed by unknown authority");
        Hook.Reviews.Should().BeEmpty();
    }

    [Test]
    public async Task A_webhook_whose_certificate_is_for_another_name_has_failed()
    {
        await using var misnamed = await WebhookHost.StartAsync("elsewhere.example.io");
        await BothPolicies(w => w["clientConfig"] = misnamed.ClientConfig(), "failed to verify certificate: x509: ");
        misnamed.Reviews.Should().BeEmpty();
    }

    [Test]
    public async Task A_patch_that_does_not_fit_is_an_internal_error_under_either_policy()
    {
        await ConfigureAsync(Webhook(w => w["failurePolicy"] = "Ignore"));
        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow("""[{"op":"replace","path":"/data/missing","value":"x"}]"""));
        var (code, body, _) = await Send("POST", ConfigMaps, ConfigMap(NewName()));
        code.Should().Be(500);
        body["reason"].String().Should().Be("InternalError");
        body["message"].String().Should().StartWith("Internal error occurred: ").And.Contain("missing path");
    }

    [Test]
    public async Task A_service_is_reached_at_its_endpoints_in_turn_under_its_own_name()
    {
        if (Cluster is not EmbeddedCluster)
            Assert.Ignore("a real server needs the cluster's network to reach a Service");
        await using var one = await WebhookHost.StartAsync("hooks.kube-system.svc");
        var services = new ServiceEndpoints();
        await using var cluster = await EmbeddedCluster.StartAsync(new ApiServerOptions { Services = services });
        var configuration = Configuration("by-service", Webhook(w => w["clientConfig"] = new JsonObject
        {
            ["service"] = new JsonObject { ["name"] = "hooks", ["namespace"] = "kube-system", ["path"] = "/there" }, ["caBundle"] = WebhookHost.Bundle(one.Authority),
        }));
        await cluster.CreateAsync(configuration);
        var nowhere = () => cluster.CreateAsync(ConfigMap("a"));
        await nowhere.Should().ThrowAsync<HttpRequestException>().WithMessage("*no endpoints available for service*");

        services.Set("kube-system/hooks", one.Endpoint);
        await cluster.CreateAsync(ConfigMap("b"));
        one.Queries.Should().Equal("HTTP/1.1 /there?timeout=10s");
        cluster.Server.Requests.Where("create", "configmaps").Last().Admission.Should().ContainSingle()
            .Which.Should().Match<AdmissionCall>(c => c.Webhook == HookName && c.Outcome == "allowed");

        services.Set("x/y", new IPEndPoint(1, 1), new IPEndPoint(2, 2));
        Enumerable.Range(0, 4).Select(_ => services.Next("x/y")!.Port).Should().Equal(1, 2, 1, 2);
    }

    /// <summary>Fail makes the failure the client's, Ignore goes on without the webhook.</summary>
    private async Task BothPolicies(Action<JsonObject> change, params string[] messages)
    {
        await ConfigureAsync(Webhook(change));
        var (code, body, _) = await Send("POST", ConfigMaps, ConfigMap(NewName()));
        code.Should().Be(500);
        body["reason"].String().Should().Be("InternalError");
        body["message"].String().Should().StartWith($"Internal error occurred: failed calling webhook \"{HookName}\": ").And.ContainAny(messages);
        await UnconfigureAsync();
        await ConfigureAsync(Webhook(w =>
        {
            change(w);
            w["failurePolicy"] = "Ignore";
        }));
        (await Send("POST", ConfigMaps, ConfigMap(NewName()))).Code.Should().Be(201);
    }
}
