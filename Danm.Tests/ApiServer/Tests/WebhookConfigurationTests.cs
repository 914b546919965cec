using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Which MutatingWebhookConfigurations are taken, and what they look like stored.</summary>
public sealed class WebhookConfigurationTests : AdmissionFixture
{
    [TestCase("name", "\"short.io\"", "at least three segments")]
    [TestCase("sideEffects", "\"Some\"", "sideEffects")]
    [TestCase("sideEffects", "null", "sideEffects")]
    [TestCase("admissionReviewVersions", "[]", "admissionReviewVersions")]
    [TestCase("admissionReviewVersions", "[\"v2\"]", "admissionReviewVersions")]
    [TestCase("timeoutSeconds", "31", "timeoutSeconds")]
    [TestCase("failurePolicy", "\"Perhaps\"", "failurePolicy")]
    [TestCase("clientConfig", "{}", "exactly one of url or service is required")]
    [TestCase("clientConfig", """{"url":"http://example.io/"}""", "'https' is the only allowed URL scheme")]
    [TestCase("clientConfig", """{"url":"https://example.io/?a=b"}""", "not permitted in the URL")]
    [TestCase("clientConfig", """{"service":{"name":"a","namespace":"b","path":"c"}}""", "clientConfig.service.path")]
    [TestCase("rules", """[{"operations":["READ"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}]""", "operations")]
    public async Task Refused(string field, string value, string message)
    {
        var (code, body, _) = await Send("POST", Configurations, Configuration(NewName(), Webhook(w => w[field] = JsonNode.Parse(value))));
        code.Should().Be(422);
        body["message"].String().Should().Contain(message);
    }

    [Test]
    public async Task Two_webhooks_of_one_name_are_refused()
    {
        var (code, body, _) = await Send("POST", Configurations, Configuration(NewName(), Webhook(), Webhook()));
        code.Should().Be(422);
        body["message"].String().Should().Contain("Duplicate value");
    }

    [TestCase("matchConditions", """[{"name":"a","expression":"true"}]""")]
    [TestCase("reinvocationPolicy", "\"IfNeeded\"")]
    public async Task What_the_embedded_server_cannot_do_it_says(string field, string value)
    {
        if (Cluster is not EmbeddedCluster)
            Assert.Ignore("a real server can");
        var (code, body, _) = await Send("POST", Configurations, Configuration(NewName(), Webhook(w => w[field] = JsonNode.Parse(value))));
        code.Should().Be(501);
        body["message"].String().Should().Contain(field);
    }

    [Test]
    public async Task Defaults_are_filled_in()
    {
        var (_, body, _) = await Send("POST", Configurations + "?dryRun=All", Configuration(NewName(), Webhook()));
        var webhook = body["webhooks"]![0]!;
        webhook["failurePolicy"].String().Should().Be("Fail");
        webhook["matchPolicy"].String().Should().Be("Equivalent");
        webhook["reinvocationPolicy"].String().Should().Be("Never");
        webhook["timeoutSeconds"]!.GetValue<int>().Should().Be(10);
        webhook["namespaceSelector"]!.ToJsonString().Should().Be("{}");
        webhook["rules"]![0]!["scope"].String().Should().Be("*");
        body.At("metadata", "generation")!.GetValue<int>().Should().Be(1);
    }
}
