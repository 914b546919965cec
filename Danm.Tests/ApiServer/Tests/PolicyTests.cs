using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>ValidatingAdmissionPolicies and their bindings, as a real server carries them out.</summary>
public sealed class PolicyTests : ClusterFixture
{
    private const string Group = "/apis/admissionregistration.k8s.io/v1", Policies = $"{Group}/validatingadmissionpolicies", Bindings = $"{Group}/validatingadmissionpolicybindings";
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private readonly List<string> made = [];

    [TearDown]
    public async Task Remove()
    {
        foreach (var path in made)
            await Send("DELETE", path);
        if (made.Count > 0 && Cluster is EnvtestCluster)
            await Task.Delay(TimeSpan.FromSeconds(2));
        made.Clear();
    }

    // What is refused has data "bad".
    [TestCase("""{"expression":"!has(object.data.bad)","message":"no bad ones"}""", 422, "Invalid", "no bad ones")]
    [TestCase("""{"expression":"!has(object.data.bad)","message":"not so","reason":"Forbidden"}""", 403, "Forbidden", "not so")]
    [TestCase("""{"expression":"!has(object.data.bad)","reason":"Unauthorized"}""", 401, "Unauthorized", "failed expression: !has(object.data.bad)")]
    [TestCase("""{"expression":"!has(object.data.bad)","messageExpression":"'not ' + object.data.bad","message":"unsaid"}""", 422, "Invalid", "not this")]
    [TestCase("""{"expression":"!has(object.data.bad)","messageExpression":"'not ' + object.data.other","message":"said instead"}""", 422, "Invalid", "said instead")]
    [TestCase("""{"expression":"!has(object.data.bad)","messageExpression":"'  '","message":"said instead"}""", 422, "Invalid", "said instead")]
    [TestCase("""{"expression":"!has(object.data.bad) || variables.whose == 'system:nobody'","messageExpression":"variables.whose","reason":"Forbidden"}""", 403, "Forbidden", "admin")]
    [TestCase("""{"expression":"!has(object.data.bad) || request.kind.kind == 'Secret' || request.resource.resource != 'configmaps' || request.operation != 'CREATE' || request.name != object.metadata.name","message":"told"}""", 422, "Invalid", "told")]
    public async Task A_refusal_says_what_the_policy_says(string validation, int code, string reason, string why)
    {
        var name = await InForceAsync(validation);

        var (answered, body, _) = await Send("POST", Maps, Map("bad"));

        (answered, body["reason"].String()).Should().Be((code, reason));
        body["message"].String().Should().MatchRegex("^configmaps \"[^\"]+\" is forbidden: ").And.EndWith($"ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: {why}");
        (await Send("POST", Maps, Map("good"))).Code.Should().Be(201);
    }

    [TestCase("Fail", 422)]
    [TestCase("Ignore", 201)]
    public async Task What_cannot_be_evaluated_is_refused_unless_failures_are_ignored(string failurePolicy, int code)
    {
        await InForceAsync("""{"expression":"has(object.data.never) || !has(object.data.bad) || object.data.missing == 'x'"}""", s => s["failurePolicy"] = failurePolicy,
            probe: failurePolicy == "Fail");

        (await Send("POST", Maps, Map("bad"))).Code.Should().Be(code);
    }

    [TestCase("""{"matchConditions":[{"name":"c","expression":"has(object.data.bad)"},{"name":"d","expression":"object.metadata.name.startsWith('zzz')"}]}""", 201)]
    [TestCase("""{"matchConditions":[{"name":"c","expression":"has(object.data.bad)"}]}""", 422)]
    // A condition that fails is nothing where another one says no.
    [TestCase("""{"matchConditions":[{"name":"c","expression":"object.data.missing == 'x'"},{"name":"d","expression":"object.metadata.name.startsWith('zzz')"}]}""", 201)]
    [TestCase("""{"matchConditions":[{"name":"c","expression":"object.data.missing == 'x'"}]}""", 422)]
    [TestCase("""{"matchConstraints":{"objectSelector":{"matchLabels":{"strict":"yes"}}}}""", 201)]
    [TestCase("""{"matchConstraints":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"default"}}}}""", 422)]
    [TestCase("""{"matchConstraints":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}}}}""", 201)]
    public async Task A_policy_is_asked_about_what_it_matches(string part, int code)
    {
        var name = await InForceAsync("""{"expression":"!has(object.data.bad)"}""", s =>
        {
            foreach (var (field, value) in (JsonObject)JsonNode.Parse(part)!)
            {
                if (value is JsonObject more)
                    foreach (var (member, one) in more)
                        s[field]![member] = one!.DeepClone();
                else
                    s[field] = value!.DeepClone();
            }
        }, probe: code == 422);

        (await Send("POST", Maps, Map("bad"))).Code.Should().Be(code, name);
    }

    [Test]
    public async Task Updates_and_deletions_are_judged_by_what_was_there_and_what_a_policy_refuses_is_not_done()
    {
        await InForceAsync(
            """{"expression":"request.operation == 'CREATE' ? !has(object.data.bad) : request.operation == 'DELETE' ? oldObject.data.good != '2' : object.data.good != oldObject.data.good + 'x'","message":"no"}""");
        var map = Map("good");
        var path = $"{Maps}/{map.At("metadata", "name")}";
        await Send("POST", Maps, map);

        (await Send("PATCH", path, JsonNode.Parse("""{"data":{"good":"thisx"}}"""), "application/merge-patch+json")).Code.Should().Be(422);
        (await Send("PATCH", path, JsonNode.Parse("""{"data":{"good":"2"}}"""), "application/merge-patch+json")).Code.Should().Be(200);
        (await Send("DELETE", path)).Code.Should().Be(422);

        (await Send("GET", path)).Body.At("data", "good").String().Should().Be("2");
    }

    [Test]
    public async Task A_binding_that_warns_lets_pass()
    {
        await InForceAsync("""{"expression":"!has(object.data.bad)","message":"rather not"}""", actions: ["Warn", "Audit"], probe: false);

        var (code, warnings) = (0, Array.Empty<string>());
        for (var waited = Stopwatch.StartNew(); warnings.Length == 0 && waited.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(50))
            (code, _, warnings) = await Send("POST", $"{Maps}?dryRun=All", Map("bad"));

        code.Should().Be(201);
        warnings.Should().ContainSingle().Which.Should().Contain("Validation failed for ValidatingAdmissionPolicy").And.Contain("rather not");
    }

    [TestCase("object.data.", "compilation failed")]
    [TestCase("thing.data == ''", "undeclared reference to 'thing'")]
    [TestCase("request.user == ''", "undefined field 'user'")]
    [TestCase("variables.other == ''", "undefined field 'other'")]
    [TestCase("object.data[thing] == ''", "undeclared reference to 'thing'")]
    public async Task A_policy_that_cannot_be_compiled_is_not_stored(string expression, string fault)
    {
        var (code, body, _) = await Send("POST", Policies, Policy(NewName(), new JsonObject { ["expression"] = expression }));

        code.Should().Be(422);
        body["message"].String().Should().Contain("spec.validations[0].expression: Invalid value").And.Contain(fault);
    }

    [TestCase("""{"paramKind":{"apiVersion":"v1","kind":"ConfigMap"}}""")]
    [TestCase("""{"auditAnnotations":[{"key":"a","valueExpression":"'b'"}]}""")]
    [TestCase("""{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["configmaps"],"resourceNames":["one"]}]}}""")]
    [TestCase("""{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["*"]}],"excludeResourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["configmaps"]}]}}""")]
    [TestCase("""{"validations":[{"expression":"namespaceObject.metadata.name != ''"}]}""")]
    [TestCase("""{"validations":[{"expression":"authorizer.group('').resource('pods').check('get').allowed()"}]}""")]
    public async Task What_the_embedded_server_does_not_carry_out_it_does_not_take(string part)
    {
        if (Cluster is EnvtestCluster)
            Assert.Ignore("a real server does");
        var policy = Policy(NewName(), new JsonObject { ["expression"] = "true" });
        foreach (var (field, value) in (JsonObject)JsonNode.Parse(part)!)
            policy["spec"]![field] = value!.DeepClone();

        (await Send("POST", Policies, policy)).Code.Should().Be(501);
    }

    private async Task<string> InForceAsync(string validation, Action<JsonObject>? change = null, string[]? actions = null, bool probe = true)
    {
        var name = NewName();
        var policy = Policy(name, (JsonObject)JsonNode.Parse(validation)!);
        change?.Invoke((JsonObject)policy["spec"]!);
        var binding = new JsonObject
        {
            ["apiVersion"] = "admissionregistration.k8s.io/v1", ["kind"] = "ValidatingAdmissionPolicyBinding", ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["policyName"] = name, ["validationActions"] = new JsonArray([.. (actions ?? ["Deny"]).Select(a => (JsonNode)a)]) },
        };
        foreach (var (path, body) in ((string, JsonObject)[])[(Policies, policy), (Bindings, binding)])
        {
            var (code, answer, _) = await Send("POST", path, body);
            code.Should().Be(201, "{0}", answer);
            made.Add($"{path}/{name}");
        }

        for (var waited = Stopwatch.StartNew(); probe && (await Send("POST", $"{Maps}?dryRun=All", Map("bad"))).Code == 201; await Task.Delay(100))
            waited.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(30), "the policy comes into force");
        if (!probe && Cluster is EnvtestCluster)
            await Task.Delay(TimeSpan.FromSeconds(2));
        return name;
    }

    private static JsonObject Policy(string name, JsonObject validation)
    {
        var policy = (JsonObject)JsonNode.Parse("""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{},
             "spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE","UPDATE","DELETE"],"resources":["configmaps"]}]},
                     "variables":[{"name":"broken","expression":"object.data.missing"},{"name":"whose","expression":"request.userInfo.username"}]}}
            """)!;
        policy["metadata"]!["name"] = name;
        policy["spec"]!["validations"] = new JsonArray(validation);
        return policy;
    }

    private JsonObject Map(string key) => New("v1", "ConfigMap", $$$"""{"data":{"{{{key}}}":"this"}}""");
}
