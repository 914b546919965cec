using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>What webhooks are told, and what becomes of their patches.</summary>
public sealed class AdmissionTests : AdmissionFixture
{
    [Test]
    public async Task A_review_of_a_creation_says_who_wants_what()
    {
        await ConfigureAsync(Webhook());
        var name = NewName();
        (await Send("POST", ConfigMaps + "?fieldManager=me", ConfigMap(name))).Code.Should().Be(201);

        var review = Hook.Reviews.Should().ContainSingle().Subject;
        review["apiVersion"].String().Should().Be("admission.k8s.io/v1");
        review["kind"].String().Should().Be("AdmissionReview");
        var request = review["request"]!;
        request["kind"]!.ToJsonString().Should().Be("""{"group":"","version":"v1","kind":"ConfigMap"}""");
        request["requestKind"]!.ToJsonString().Should().Be("""{"group":"","version":"v1","kind":"ConfigMap"}""");
        request["resource"]!.ToJsonString().Should().Be("""{"group":"","version":"v1","resource":"configmaps"}""");
        request["requestResource"]!.ToJsonString().Should().Be("""{"group":"","version":"v1","resource":"configmaps"}""");
        request["subResource"].Should().BeNull();
        Guid.TryParse(request["uid"].String(), out _).Should().BeTrue();
        request["name"].String().Should().Be(name);
        request["namespace"].String().Should().Be("default");
        request["operation"].String().Should().Be("CREATE");
        request["userInfo"].At("username").String().Should().Be("admin");
        request["userInfo"]!["groups"]!.AsArray().Select(g => g.String()).Should().Contain(["system:masters", "system:authenticated"]);
        request["object"].At("data", "k").String().Should().Be("1");
        request["object"].At("metadata", "namespace").String().Should().Be("default");
        request["object"].At("metadata", "uid").String().Should().BeNull("the server gives it later");
        request["oldObject"].Should().BeNull();
        request["dryRun"]!.GetValue<bool>().Should().BeFalse();
        request["options"].At("kind").String().Should().Be("CreateOptions");
        request["options"].At("fieldManager").String().Should().Be("me");
        Hook.Queries.Should().Equal("HTTP/1.1 /hook?timeout=10s");
    }

    [Test]
    public async Task A_review_says_the_node_of_the_users_token()
    {
        await ConfigureAsync(Webhook());

        (await Send("POST", ConfigMaps, ConfigMap(NewName()), user: new Impersonated("system:serviceaccount:default:one", "node-1"))).Code.Should().Be(201);

        var user = Hook.Reviews.Should().ContainSingle().Subject.At("request", "userInfo");
        user.At("username").String().Should().Be("system:serviceaccount:default:one");
        user.At("groups").Strings().Should().Equal("system:masters", "system:authenticated");
        user.At("extra", "authentication.kubernetes.io/node-name").Strings().Should().Equal("node-1");
    }

    [Test]
    public async Task Policies_judge_what_webhooks_have_made_of_an_object()
    {
        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow("""[{"op":"add","path":"/data/added","value":"yes"}]"""));
        await ConfigureAsync(Webhook());
        var name = NewName();
        foreach (var (kind, spec) in ((string, string)[])[
            ("ValidatingAdmissionPolicy", """{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["configmaps"]}]},"validations":[{"expression":"!has(object.data.added)"}]}"""),
            ("ValidatingAdmissionPolicyBinding", $$"""{"policyName":"{{name}}","validationActions":["Deny"]}""")])
            await Cluster.CreateAsync(new JsonObject { ["apiVersion"] = "admissionregistration.k8s.io/v1", ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = JsonNode.Parse(spec) });
        if (Cluster is EnvtestCluster)
            await Task.Delay(TimeSpan.FromSeconds(2));

        var (code, body, _) = await Send("POST", ConfigMaps, ConfigMap(NewName()));

        foreach (var kind in (string[])["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"])
            await Cluster.DeleteAsync("admissionregistration.k8s.io/v1", kind, name);
        code.Should().Be(422);
        body["message"].String().Should().EndWith("denied request: failed expression: !has(object.data.added)");
    }

    [TestCase("PUT", "application/json", "UpdateOptions")]
    [TestCase("PATCH", "application/merge-patch+json", "PatchOptions")]
    [TestCase("PATCH", "application/strategic-merge-patch+json", "PatchOptions")]
    [TestCase("PATCH", "application/json-patch+json", "PatchOptions")]
    public async Task A_review_of_a_change_has_both_objects(string method, string media, string options)
    {
        var name = NewName();
        await Send("POST", ConfigMaps, ConfigMap(name));
        await ConfigureAsync(Webhook());
        JsonNode body = media switch
        {
            "application/json" => ConfigMap(name, "2"),
            "application/json-patch+json" => JsonNode.Parse("""[{"op":"replace","path":"/data/k","value":"2"}]""")!,
            _ => JsonNode.Parse("""{"data":{"k":"2"}}""")!,
        };
        (await Send(method, $"{ConfigMaps}/{name}", body, media)).Code.Should().Be(200);

        var request = Hook.Reviews.Should().ContainSingle().Subject["request"]!;
        request["operation"].String().Should().Be("UPDATE");
        request["name"].String().Should().Be(name);
        request["object"].At("data", "k").String().Should().Be("2");
        request["oldObject"].At("data", "k").String().Should().Be("1");
        request["oldObject"].At("metadata", "uid").String().Should().NotBeNullOrEmpty();
        request["options"].At("kind").String().Should().Be(options);
    }

    [Test]
    public async Task A_deletion_shows_the_old_object_and_may_be_denied()
    {
        var name = NewName();
        await Send("POST", ConfigMaps, ConfigMap(name));
        await ConfigureAsync(Webhook(w => w["rules"]![0]!["operations"] = new JsonArray("DELETE")));
        Hook.Answer = _ => Task.FromResult(WebhookHost.Deny("in use"));
        var (code, body, _) = await Send("DELETE", $"{ConfigMaps}/{name}");

        code.Should().Be(400);
        body["message"].String().Should().Be($"admission webhook \"{HookName}\" denied the request: in use");
        var request = Hook.Reviews.Should().ContainSingle().Subject["request"]!;
        request["operation"].String().Should().Be("DELETE");
        request["object"].Should().BeNull();
        request["oldObject"].At("data", "k").String().Should().Be("1");
        request["options"].At("kind").String().Should().Be("DeleteOptions");
        (await Send("GET", $"{ConfigMaps}/{name}")).Code.Should().Be(200, "the object is still there");

        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow("""[{"op":"add","path":"/data","value":{}}]"""));
        (code, body, _) = await Send("DELETE", $"{ConfigMaps}/{name}");
        code.Should().Be(500);
        body["message"].String().Should().Contain("attempted to modify the object, which is not supported for this operation");

        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow());
        (await Send("DELETE", $"{ConfigMaps}/{name}")).Code.Should().Be(200);
        (await Send("GET", $"{ConfigMaps}/{name}")).Code.Should().Be(404);
    }

    [Test]
    public async Task A_generated_name_is_not_known_yet()
    {
        await ConfigureAsync(Webhook());
        var body = ConfigMap("");
        body["metadata"] = new JsonObject { ["generateName"] = "gen-" };
        var (code, made, _) = await Send("POST", ConfigMaps, body);
        code.Should().Be(201);
        made.At("metadata", "name").String().Should().StartWith("gen-");
        var request = Hook.Reviews.Should().ContainSingle().Subject["request"]!;
        request["name"].String().Should().BeNull();
        request["object"].At("metadata", "generateName").String().Should().Be("gen-");
    }

    [Test]
    public async Task A_dry_run_is_told_as_one_and_stores_nothing()
    {
        await ConfigureAsync(Webhook());
        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow("""[{"op":"add","path":"/data/added","value":"x"}]"""));
        var name = NewName();
        var (code, shown, _) = await Send("POST", ConfigMaps + "?dryRun=All", ConfigMap(name));
        code.Should().Be(201);
        shown.At("data", "added").String().Should().Be("x");
        Hook.Reviews.Should().ContainSingle().Which["request"]!["dryRun"]!.GetValue<bool>().Should().BeTrue();
        (await Send("GET", $"{ConfigMaps}/{name}")).Code.Should().Be(404);
    }

    [Test]
    public async Task Version_v1beta1_is_spoken_where_it_comes_first_and_needs_no_uid()
    {
        await ConfigureAsync(Webhook(w => w["admissionReviewVersions"] = new JsonArray("v2", "v1beta1", "v1")));
        Hook.Raw = _ => """{"response":{"allowed":true,"patch":"W3sib3AiOiJhZGQiLCJwYXRoIjoiL2RhdGEvYWRkZWQiLCJ2YWx1ZSI6IngifV0="}}""";
        var (code, made, _) = await Send("POST", ConfigMaps, ConfigMap(NewName()));
        code.Should().Be(201);
        made.At("data", "added").String().Should().Be("x");
        Hook.Reviews.Should().ContainSingle().Which["apiVersion"].String().Should().Be("admission.k8s.io/v1beta1");
    }

    [Test]
    public async Task Each_webhook_sees_what_the_one_before_left_in_order_of_the_configurations_names()
    {
        var suffix = NewName();
        await using var later = await WebhookHost.StartAsync();
        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow("""[{"op":"add","path":"/data/order","value":"first"}]"""));
        later.Answer = r => Task.FromResult(WebhookHost.Allow($$"""[{"op":"replace","path":"/data/order","value":"{{r["object"].At("data", "order").String()}}, second"}]"""));
        await ConfigureAsync($"b-{suffix}", Webhook(w => w["clientConfig"] = later.ClientConfig()));
        await ConfigureAsync($"a-{suffix}", Webhook(), Webhook(w =>
        {
            w["name"] = "other.example.io";
            w["rules"]![0]!["resources"] = new JsonArray("secrets");
        }));
        var (_, made, _) = await Send("POST", ConfigMaps, ConfigMap(NewName()));
        made.At("data", "order").String().Should().Be("first, second");
    }

    [TestCase("""[{"op":"add","path":"/spec/unheard","value":1}]""", 201, "{\"colour\":\"red\",\"size\":3}", TestName = "What_a_webhook_adds_unknown_is_pruned")]
    [TestCase("""[{"op":"remove","path":"/spec/colour"}]""", 201, "{\"colour\":\"red\",\"size\":3}", TestName = "What_a_webhook_removes_gets_its_default_again")]
    [TestCase("""[{"op":"replace","path":"/spec/size","value":0}]""", 422, "greater than or equal to 1", TestName = "What_a_webhook_leaves_is_validated")]
    [TestCase("""[{"op":"replace","path":"/metadata/name","value":"Not a name"}]""", 422, "metadata.name", TestName = "A_name_that_a_webhook_gives_is_validated")]
    public async Task Schema_after_webhooks(string patch, int expected, string part)
    {
        await ConfigureAsync(Webhook());
        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow(patch));
        var (code, body, _) = await Send("POST", Widgets, Widget(NewName()));
        code.Should().Be(expected);
        if (code == 201)
            JsonNode.DeepEquals(body["spec"], JsonNode.Parse(part)).Should().BeTrue("spec is {0}", body["spec"]!.ToJsonString());
        else
            body["message"].String().Should().Contain(part);
        Hook.Reviews.Should().ContainSingle().Which["request"]!["object"].At("spec", "colour").String().Should().Be("red", "defaults come before admission too");
    }

    [Test]
    public async Task An_object_that_fails_its_schema_before_admission_may_be_mended_by_it()
    {
        await ConfigureAsync(Webhook());
        Hook.Answer = _ => Task.FromResult(WebhookHost.Allow("""[{"op":"replace","path":"/spec/size","value":4}]"""));
        (await Send("POST", Widgets, Widget(NewName(), size: 0))).Code.Should().Be(201);
    }

    [Test]
    public async Task A_webhook_is_asked_about_a_creation_that_ends_in_AlreadyExists()
    {
        var name = NewName();
        await Send("POST", ConfigMaps, ConfigMap(name));
        await ConfigureAsync(Webhook());
        (await Send("POST", ConfigMaps, ConfigMap(name))).Code.Should().Be(409);
        Hook.Reviews.Should().ContainSingle();
        (await Send("POST", "/api/v1/namespaces/nowhere/configmaps", ConfigMap(name))).Code.Should().Be(404);
        Hook.Reviews.Should().ContainSingle("a namespace that is not there ends the request before");
    }

    [Test]
    public async Task Others_write_while_a_webhook_thinks_and_a_patch_is_made_again()
    {
        var name = NewName();
        await Send("POST", ConfigMaps, ConfigMap(name));
        await ConfigureAsync(Webhook(w => w["objectSelector"] = JsonNode.Parse("""{"matchLabels":{"slow":"yes"}}""")));
        var asked = 0;
        Hook.Answer = async _ =>
        {
            if (Interlocked.Increment(ref asked) == 1)
                (await Send("PATCH", $"{ConfigMaps}/{name}", JsonNode.Parse("""{"data":{"other":"1"}}"""), "application/merge-patch+json")).Code.Should().Be(200);
            return WebhookHost.Allow();
        };
        var patch = JsonNode.Parse("""{"metadata":{"labels":{"slow":"yes"}}}""");
        var (code, body, _) = await Send("PATCH", $"{ConfigMaps}/{name}", patch, "application/merge-patch+json");
        code.Should().Be(200);
        asked.Should().Be(2);
        body["data"]!.ToJsonString().Should().Be("""{"k":"1","other":"1"}""");
        Hook.Reviews.Last()["request"]!["oldObject"].At("data", "other").String().Should().Be("1");
    }

    [Test]
    public async Task A_replacement_that_names_a_version_conflicts_with_who_wrote_meanwhile()
    {
        var name = NewName();
        var stored = (await Send("POST", ConfigMaps, ConfigMap(name))).Body;
        await ConfigureAsync(Webhook(w => w["objectSelector"] = JsonNode.Parse("""{"matchLabels":{"slow":"yes"}}""")));
        Hook.Answer = async _ =>
        {
            await Send("PATCH", $"{ConfigMaps}/{name}", JsonNode.Parse("""{"data":{"other":"1"}}"""), "application/merge-patch+json");
            return WebhookHost.Allow();
        };
        stored["metadata"]!["labels"] = new JsonObject { ["slow"] = "yes" };
        (await Send("PUT", $"{ConfigMaps}/{name}", stored)).Code.Should().Be(409);
        (await Send("GET", $"{ConfigMaps}/{name}")).Body.At("data", "other").String().Should().Be("1");
    }

    [Test]
    public async Task Warnings_reach_the_client_of_allowed_and_denied_requests()
    {
        await ConfigureAsync(Webhook());
        var allowed = true;
        Hook.Answer = _ =>
        {
            var answer = allowed ? WebhookHost.Allow() : WebhookHost.Deny("no");
            answer["warnings"] = new JsonArray("say \"when\" \\ 50 %", "bad\u0007bell", "twice", "twice", "");
            return Task.FromResult(answer);
        };
        string[] expected = ["299 - \"say \\\"when\\\" \\\\ 50 %\"", "299 - \"twice\""];
        (await Send("POST", ConfigMaps, ConfigMap(NewName()))).Warnings.Should().Equal(expected);
        allowed = false;
        (await Send("POST", ConfigMaps, ConfigMap(NewName()))).Warnings.Should().Equal(expected);
    }

    [Test]
    public async Task Long_warnings_are_cut()
    {
        await ConfigureAsync(Webhook());
        Hook.Answer = _ =>
        {
            var answer = WebhookHost.Allow();
            answer["warnings"] = new JsonArray([.. Enumerable.Range(0, 30).Select(i => (JsonNode)$"{i:000}{new string('x', 997)}")]);
            return Task.FromResult(answer);
        };
        var warnings = (await Send("POST", ConfigMaps, ConfigMap(NewName()))).Warnings;
        warnings.Should().HaveCount(16).And.OnlyContain(w => w.Length == "299 - \"\"".Length + 256);
    }
}
