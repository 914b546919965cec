using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Tests.ApiServer;
using Danm.Tests.Networks.Admission;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>
/// Each rule by a request to the API server, which asks the published webhook: what breaks it is denied and not stored, and its neighbour is
/// stored. The cases are those of the unit tests.
/// </summary>
[TestFixture, Parallelizable]
public sealed class RulesOverHttpsTests : WebhookFixture
{
    private static IEnumerable<TestCaseData> Cases =>
        RuleCases.OfNetworks.Concat(RuleCases.OfNetworkIds).Where(rule => !IsLeftOut(rule)).SelectMany(rule => rule.NetworkKinds, (rule, kind) => new TestCaseData(rule, kind));

    private static IEnumerable<RuleCase> LeftOutCases => RuleCases.OfNetworks.Concat(RuleCases.OfNetworkIds).Where(IsLeftOut);

    private static IEnumerable<TestCaseData> ConnectedCases => RuleCases.OfConnected.SelectMany(
        rule => rule.NetworkKinds.SelectMany(ApiTypes, (kind, apiType) => (Kind: kind, ApiType: apiType)), (rule, at) => new TestCaseData(rule, at.Kind, at.ApiType));

    // Every device of the cases, untagged, so that a tenant's NetworkID may be long.
    [OneTimeSetUp]
    public async Task Grant() => (await CreateAsync(TenantConfig("tenants", """
        {"hostDevices":[{"name":"ens4"},{"name":"ens5","vniType":"vlan","vniRange":"200-209"},{"name":"ens4ens4ens4ens"},{"name":"e_2J"},
         {"name":"nokia.io/sriov"},{"name":"nokia.io/pf"},{"name":"nokia.io/x"}],"networkIds":{"mapped":"theirs"}}
        """))).Accepted();

    [SetUp]
    public void Clean()
    {
        foreach (var kind in (string[])["DanmNet", "TenantNetwork", "ClusterNetwork", "VNIAllocation", "DanmEp"])
        {
            foreach (var item in Server.Store.List("danm.io/v1", kind))
                Server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public async Task Networks(RuleCase rule, NetworkKind kind)
    {
        var before = rule.Old is null ? null : Server.Store.Create(Network(kind, rule.Old));

        var denied = await SubmitAsync(Network(kind, rule.Rejected), before);
        denied.Code.Should().Be(422, denied.Body.ToJsonString());
        denied.Fields.Should().Equal(rule.Field);
        denied.Message.Should().StartWith($"admission webhook \"danm-netvalidation.nokia.k8s.io\" denied the request: {rule.Field}: ");
        if (rule.Rule.Length > 0)
            denied.Message.Should().EndWith($" (rule {rule.Rule})");
        Stored(kind)?["spec"]!.ToJsonString().Should().Be(before!["spec"]!.ToJsonString(), "what is denied changes nothing");
        (Stored(kind) is null).Should().Be(before is null);

        (await SubmitAsync(Network(kind, rule.Accepted), before)).Accepted();
        Stored(kind).Should().NotBeNull();
    }

    // The rule alone would deny it; before it is asked, the webhook puts back what the tenant was given.
    [TestCaseSource(nameof(LeftOutCases))]
    public async Task What_an_update_of_a_TenantNetwork_leaves_out_stays(RuleCase rule)
    {
        var before = Server.Store.Create(Network(NetworkKind.TenantNetwork, rule.Old!));

        var updated = (await SubmitAsync(Network(NetworkKind.TenantNetwork, rule.Rejected), before)).Accepted().Body;

        JsonNode.DeepEquals(Member(updated, rule.Field), Member(before, rule.Field)).Should().BeTrue(updated.ToJsonString());
    }

    [TestCaseSource(typeof(TenantConfigCases), nameof(TenantConfigCases.All))]
    public async Task TenantConfigs(RuleCase rule)
    {
        // After the one that counts, by name.
        const string Name = "under-test";
        try
        {
            var before = rule.Old is null ? null : Server.Store.Create(TenantConfig(Name, rule.Old));

            var denied = await SubmitAsync(TenantConfig(Name, rule.Rejected), before);
            denied.Code.Should().Be(422, denied.Body.ToJsonString());
            denied.Fields.Should().Equal(rule.Field);
            denied.Message.Should().StartWith("admission webhook \"danm-configvalidation.nokia.k8s.io\" denied the request: ").And.EndWith($" (rule {rule.Rule})");

            (await SubmitAsync(TenantConfig(Name, rule.Accepted), before)).Accepted();
        }
        finally
        {
            await DeleteAsync(TenantConfig(Name, "{}"));
        }
    }

    [TestCaseSource(nameof(ConnectedCases))]
    public async Task Rule_21_while_a_Pod_is_connected(RuleCase rule, NetworkKind kind, string apiType)
    {
        var stored = Server.Store.Create(Network(kind, rule.Old!));
        Server.Store.Create(Endpoint("pod-a", apiType));

        var denied = await SubmitAsync(Network(kind, rule.Rejected), stored);
        denied.Code.Should().Be(422, denied.Body.ToJsonString());
        denied.Fields.Should().Equal(rule.Field);
        denied.Message.Should().Contain("(rule 21)").And.Contain("default/pod-a");
        stored = (await SubmitAsync(Network(kind, rule.Accepted), stored)).Accepted().Body;

        Server.Store.Delete("danm.io/v1", "DanmEp", "default", "pod-a");
        (await SubmitAsync(Network(kind, rule.Rejected), stored)).Accepted();
    }

    private static IEnumerable<TestCaseData> Deletions => Enum.GetValues<NetworkKind>().SelectMany(ApiTypes, (kind, apiType) => new TestCaseData(kind, apiType));

    [TestCaseSource(nameof(Deletions))]
    public async Task Rule_22_while_a_Pod_is_connected(NetworkKind kind, string apiType)
    {
        var network = Network(kind, """{"NetworkID":"net","NetworkType":"bridge"}""");
        (await CreateAsync(network)).Accepted();
        Server.Store.Create(Endpoint("pod-a", apiType));

        var denied = await DeleteAsync(network);
        denied.Code.Should().Be(403);
        denied.Message.Should().Contain("(rule 22)").And.Contain("default/pod-a");
        Stored(kind).Should().NotBeNull();

        Server.Store.Delete("danm.io/v1", "DanmEp", "default", "pod-a");
        (await DeleteAsync(network)).Accepted();
        Stored(kind).Should().BeNull();
    }

    /// <summary>Of another kind, of another name, and for a namespaced network of another namespace.</summary>
    [TestCase(NetworkKind.DanmNet, "ClusterNetwork", "n", "default")]
    [TestCase(NetworkKind.TenantNetwork, "", "n", "default")]
    [TestCase(NetworkKind.ClusterNetwork, "", "n", "default")]
    [TestCase(NetworkKind.DanmNet, "DanmNet", "m", "default")]
    [TestCase(NetworkKind.DanmNet, "DanmNet", "n", "kube-system")]
    [TestCase(NetworkKind.TenantNetwork, "TenantNetwork", "n", "kube-system")]
    public async Task Pods_of_another_network_hold_up_nothing(NetworkKind kind, string apiType, string name, string ns)
    {
        var network = Network(kind, """{"NetworkID":"net","NetworkType":"bridge"}""");
        var stored = (await CreateAsync(network)).Accepted().Body;
        Server.Store.Create(Endpoint("pod-a", apiType, name, ns));

        if (kind != NetworkKind.TenantNetwork)
            (await SubmitAsync(Network(kind, """{"NetworkID":"other","NetworkType":"bridge"}"""), stored)).Accepted();
        (await DeleteAsync(network)).Accepted();
    }

    [Test]
    public async Task A_ClusterNetwork_is_held_by_a_Pod_of_any_namespace()
    {
        var network = Network(NetworkKind.ClusterNetwork, """{"NetworkID":"net","NetworkType":"bridge"}""");
        (await CreateAsync(network)).Accepted();
        Server.Store.Create(Endpoint("pod-a", "ClusterNetwork", ns: "kube-system"));

        (await DeleteAsync(network)).Message.Should().Contain("kube-system/pod-a");
    }

    // No rule would let it in: 2, 5, 10 and 19.
    private const string Legacy = """
        {"NetworkID":"net","NetworkType":"ipvlan","AllowedTenants":["x"],"Options":{"host_device":"ens4","cidr":"10.0.0.0/24","alloc":"gAE=",
        "routes":{"10.1.0.0/16":"10.9.9.9"},"allocation_pool":{"start":"10.0.0.9","end":"10.0.0.5","lastIp":"10.0.0.6/24"}}}
        """;

    [TestCase("""{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"}}}""")]
    [TestCase("""{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"o","uid":"5d8a5b7c-6f0a-4f0c-9f2e-0d4c2a1b3c4d"}]}}""")]
    [TestCase("""{"metadata":{"labels":{"a":"b"}},"spec":{"NetworkID":"net"}}""")]
    public async Task What_leaves_the_spec_alone_passes_in_silence(string patch)
    {
        Server.Store.Create(Network(NetworkKind.DanmNet, Legacy));

        (await PatchAsync(patch)).Accepted().Warnings.Should().BeEmpty();
    }

    [Test]
    public async Task What_was_broken_before_is_let_through_with_warnings_until_it_is_touched()
    {
        Server.Store.Create(Network(NetworkKind.DanmNet, Legacy));

        var kept = (await PatchAsync("""{"spec":{"Options":{"rt_tables":7}}}""")).Accepted();
        kept.Warnings.Should().HaveCount(3).And.OnlyContain(warning => warning.StartsWith("kept as it was: "));
        foreach (var rule in (string[])["2", "10", "19"])
            kept.Warnings.Should().Contain(warning => warning.EndsWith($"(rule {rule})"));
        kept.Body.At("spec", "Options", "alloc").String().Should().Be("gAE=");
        kept.Body.At("spec", "Options", "allocation_pool", "lastIp").String().Should().Be("10.0.0.6/24");

        (await PatchAsync("""{"spec":{"Options":{"allocation_pool":{"end":"10.0.0.4"}}}}""")).Fields.Should().Equal("spec.Options.allocation_pool.start");
        (await PatchAsync("""{"spec":{"AllowedTenants":["y"]}}""")).Fields.Should().Equal("spec.AllowedTenants");
        (await PatchAsync("""{"spec":{"Options":{"alloc":null}}}""")).Fields.Should().Equal("spec.Options.alloc");
        (await PatchAsync("""{"spec":{"AllowedTenants":null,"Options":{"routes":null,"allocation_pool":{"end":"10.0.0.9"}}}}""")).Accepted().Warnings.Should().BeEmpty("all is mended");
    }

    [Test]
    public async Task A_TenantConfig_of_before_takes_labels_and_other_entries()
    {
        Server.Store.Create(TenantConfig("zz-old", """{"hostDevices":[{"name":"ens4"},{"name":"ens5","vniType":"vlan","vniRange":"20-10","alloc":"gA=="}]}"""));
        const string Path = "/apis/danm.io/v1/tenantconfigs/zz-old";
        const string Merge = "application/merge-patch+json";

        (await SendAsync(HttpMethod.Patch, Path, JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}}}"""), Merge)).Accepted().Warnings.Should().BeEmpty();
        (await SendAsync(HttpMethod.Patch, Path, JsonNode.Parse("""{"hostDevices":[{"name":"ens5","vniType":"vlan","vniRange":"20-10","alloc":"gA=="}]}"""), Merge)).Accepted()
            .Warnings.Should().ContainSingle().Which.Should().StartWith("kept as it was: hostDevices[0].vniRange");
        (await SendAsync(HttpMethod.Patch, Path, JsonNode.Parse("""{"hostDevices":[{"name":"ens5","vniType":"vlan","vniRange":"21-10","alloc":"gA=="}]}"""), Merge))
            .Fields.Should().Equal("hostDevices[0].vniRange");
        (await SendAsync(HttpMethod.Delete, Path)).Accepted();
    }

    [Test]
    public async Task Pools_follow_their_subnet_and_go_with_it()
    {
        (await CreateAsync(Network(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","net6":"fd00::/64"}}"""))).Accepted();

        (await PatchAsync("""{"spec":{"Options":{"cidr":"10.1.0.0/16"}}}""")).Accepted().Body.At("spec", "Options", "allocation_pool")!.ToJsonString()
            .Should().Be("""{"start":"10.1.0.1","end":"10.1.255.254"}""");
        (await PatchAsync("""{"spec":{"Options":{"cidr":null}}}""")).Accepted().Body.At("spec", "Options", "allocation_pool")!.ToJsonString().Should().Be("{}");
        (await PatchAsync("""{"spec":{"Options":{"mtu":1500}}}""")).Accepted().Warnings.Should().BeEmpty("nothing wrong is left behind");
    }

    [Test]
    public async Task A_tenant_that_applies_its_manifest_again_changes_nothing()
    {
        const string Manifest = """{"NetworkID":"mine","NetworkType":"Mapped"}""";
        var stored = (await CreateAsync(Network(NetworkKind.TenantNetwork, Manifest))).Accepted().Body;
        stored.At("spec", "NetworkID").String().Should().Be("theirs");

        (await SubmitAsync(Network(NetworkKind.TenantNetwork, Manifest), stored)).Accepted().Body.At("spec", "NetworkID").String().Should().Be("theirs");
    }

    // The server itself looks at names after mutating webhooks only.
    [TestCase("name", "x,y")]
    [TestCase("name", ".")]
    [TestCase("name", "..")]
    [TestCase("generateName", "x,y-")]
    public async Task A_TenantNetwork_whose_name_is_none_takes_no_id(string member, string value)
    {
        var network = Network(NetworkKind.TenantNetwork, """{"NetworkID":"net","NetworkType":"ipvlan","Options":{"host_device":"ens5"}}""");
        network["metadata"] = new JsonObject { [member] = value, ["namespace"] = "default" };

        var denied = await CreateAsync(network);

        (denied.Code, Server.Store.List("danm.io/v1", "VNIAllocation").Count).Should().Be((422, 0), denied.Body.ToJsonString());
        denied.Message.Should().StartWith($"admission webhook \"danm-netvalidation.nokia.k8s.io\" denied the request: metadata.{member}: \"{value}\" must be ");
    }

    [Test]
    public async Task Reviews_of_v1beta1_are_answered_in_kind()
    {
        await SetReviewVersionsAsync("v1beta1");
        try
        {
            var stored = (await CreateAsync(Network(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"cidr":"10.0.0.0/24"}}"""))).Accepted();
            stored.Body.At("spec", "Options", "allocation_pool", "end").String().Should().Be("10.0.0.254", "the patch came");
            stored.Warnings.Should().ContainSingle().Which.Should().Contain("neither host_device nor device_pool");
            (await SubmitAsync(Network(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"cidr":"x"}}"""), stored.Body)).Fields.Should().Equal("spec.Options.cidr");
            Server.Store.Create(Endpoint("pod-a", "DanmNet"));
            (await DeleteAsync(Network(NetworkKind.DanmNet, "{}"))).Message.Should().Contain("(rule 22)");
            (await CreateAsync(TenantConfig("zz", "{}"))).Fields.Should().Equal("hostDevices");
        }
        finally
        {
            await SetReviewVersionsAsync("v1", "v1beta1");
        }
    }

    private async Task SetReviewVersionsAsync(params string[] versions)
    {
        var path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/danm-webhook-config";
        var configuration = (await SendAsync(HttpMethod.Get, path)).Accepted().Body;
        foreach (var webhook in configuration["webhooks"]!.AsArray())
            webhook!["admissionReviewVersions"] = new JsonArray([.. versions.Select(version => JsonValue.Create(version))]);
        (await SendAsync(HttpMethod.Put, path, configuration)).Accepted();
    }

    /// <summary>How DanmEps name a kind; the original wrote nothing for default DanmNets.</summary>
    private static IEnumerable<string> ApiTypes(NetworkKind kind) => kind == NetworkKind.DanmNet ? [kind.ToName(), ""] : [kind.ToName()];

    private Task<Answer> SubmitAsync(JsonObject wanted, JsonObject? before)
    {
        if (before is null)
            return CreateAsync(wanted);
        wanted["metadata"] = before["metadata"]!.DeepClone();
        return UpdateAsync(wanted);
    }

    private Task<Answer> PatchAsync(string patch) =>
        SendAsync(HttpMethod.Patch, "/apis/danm.io/v1/namespaces/default/danmnets/n", JsonNode.Parse(patch), "application/merge-patch+json");

    private JsonObject? Stored(NetworkKind kind) => Server.Store.Get("danm.io/v1", kind.ToName(), kind.IsNamespaced() ? "default" : null, "n");

    private static JsonObject Network(NetworkKind kind, string spec) => Objects.Network(kind.ToName(), "n", spec);

    private static JsonObject Endpoint(string pod, string apiType, string network = "n", string ns = "default") => new()
    {
        ["apiVersion"] = "danm.io/v1",
        ["kind"] = "DanmEp",
        ["metadata"] = new JsonObject { ["name"] = pod, ["namespace"] = ns },
        ["spec"] = new JsonObject
        {
            ["NetworkName"] = network, ["NetworkType"] = "ipvlan", ["EndpointID"] = pod, ["Pod"] = pod, ["apiType"] = apiType,
            ["Interface"] = new JsonObject { ["Name"] = "eth0" },
        },
    };

    private static bool IsLeftOut(RuleCase rule) => rule is { Rule: "T2", Field: not "spec.NetworkType" } && Member(Network(NetworkKind.TenantNetwork, rule.Rejected), rule.Field) is null;

    private static JsonNode? Member(JsonNode value, string path) => path.Split('.').Aggregate((JsonNode?)value, (at, name) => at?[name]);
}
