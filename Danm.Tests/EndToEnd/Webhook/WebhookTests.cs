using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>The webhook's main job, through the API server.</summary>
[TestFixture, Parallelizable]
public sealed class WebhookTests : WebhookFixture
{
    [OneTimeSetUp]
    public async Task Grant() => (await CreateAsync(TenantConfig("tenants", """
        {"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"2000-2500"},{"name":"ens5","vniType":"vxlan","vniRange":"700000-700010"},{"name":"ens6"},{"name":"vendor.io/pool","vniType":"vlan","vniRange":"100-101"}],
         "networkIds":{"flannel":"flannel-conf"}}
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

    [Test]
    public async Task A_network_is_completed()
    {
        var answer = (await CreateAsync(Objects.Network("ClusterNetwork", "n", """{"NetworkID":"n","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","net6":"fd00::/64"}}"""))).Accepted();

        answer.Body["spec"]!.ToJsonString().Should().Be(
            """{"NetworkID":"n","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","net6":"fd00::/64","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"},"allocation_pool_v6":{"start":"fd00::1","end":"fd00::ffff:ffff:ffff:fffe","cidr":"fd00::/64"}},"NetworkType":"ipvlan"}""");
        answer.Warnings.Should().BeEmpty();
    }

    [Test]
    public async Task Several_faults_are_told_at_once_and_nothing_is_stored()
    {
        var answer = await CreateAsync(Objects.Network("DanmNet", "n", """{"NetworkID":"much-too-long-for-a-vlan","Options":{"vlan":5,"cidr":"10.0.0.0/24","routes":{"10.1.0.0/16":"10.9.9.9"},"allocation_pool":{"start":"10.0.0.9","end":"10.0.0.5"}}}"""));

        answer.Code.Should().Be(422);
        answer.Body["reason"].String().Should().Be("Invalid");
        answer.Message.Should().StartWith("admission webhook \"danm-netvalidation.nokia.k8s.io\" denied the request: ");
        answer.Fields.Should().Contain("spec.Options.allocation_pool.start").And.Contain("spec.Options.routes[10.1.0.0/16]");
        Server.Store.Count("danm.io/v1", "DanmNet").Should().Be(0);
    }

    [Test]
    public async Task A_tenants_network_gets_device_and_id_and_keeps_them()
    {
        var stored = (await CreateAsync(Objects.Network("TenantNetwork", "t", """{"NetworkID":"t","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}"""))).Accepted().Body;

        var id = stored.At("spec", "Options", "vlan")!.GetValue<int>();
        id.Should().BeInRange(2000, 2500);
        Server.Store.Get("danm.io/v1", "VNIAllocation", null, $"vlan{id}.ens4").At("spec", "network", "name").String().Should().Be("t");

        stored["spec"]!["Options"]!["vlan"] = id + 1;
        (await UpdateAsync(stored)).Fields.Should().Equal("spec.Options.vlan");
        stored["spec"]!["Options"]!["vlan"] = id;
        stored["spec"]!["Options"]!["cidr"] = "10.0.1.0/24";
        (await UpdateAsync(stored)).Accepted().Body.At("spec", "Options", "allocation_pool", "end").String().Should().Be("10.0.1.254", "it was the old subnet's default");
    }

    // By PUT, as kubectl replace sends it, and as GitOps tools apply it again and again.
    [TestCase("""{"NetworkID":"t","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""")]
    [TestCase("""{"NetworkID":"t","Options":{"cidr":"10.0.0.0/24"}}""")]
    [TestCase("""{"NetworkID":"t","NetworkType":"sriov","Options":{"device_pool":"vendor.io/pool"}}""")]
    [TestCase("""{"NetworkID":"mine","NetworkType":"flannel"}""")]
    [TestCase("""{"NetworkType":"flannel"}""")]
    public async Task The_manifest_that_made_a_tenants_network_can_be_applied_again(string spec)
    {
        var manifest = Objects.Network("TenantNetwork", "again", spec);
        var stored = (await CreateAsync(manifest)).Accepted().Body;
        manifest["metadata"]!["resourceVersion"] = stored.At("metadata", "resourceVersion").String();

        var replaced = (await UpdateAsync(manifest)).Accepted().Body;

        foreach (var (name, value) in stored["spec"]!.AsObject().Where(m => m.Key != "Options"))
            JsonNode.DeepEquals(replaced["spec"]![name], value).Should().BeTrue(replaced.ToJsonString());
        foreach (var (name, value) in stored.At("spec", "Options") as JsonObject ?? [])
            JsonNode.DeepEquals(replaced["spec"]!["Options"]![name], value).Should().BeTrue(replaced.ToJsonString());
    }

    [TestCase("""{"NetworkID":"t","Options":{"vlan":7}}""", "spec.Options.vlan")]
    [TestCase("""{"NetworkID":"t","Options":{"host_device":"eth0"}}""", "spec.Options.host_device")]
    [TestCase("""{"NetworkID":"t","Options":{"host_device":"vendor.io/pool"}}""", "spec.Options.host_device")]
    [TestCase("""{"NetworkID":"t","NetworkType":"sriov","Options":{"device_pool":"vendor.io/other"}}""", "spec.Options.device_pool")]
    [TestCase("""{"NetworkID":"t","AllowedTenants":["x"]}""", "spec.AllowedTenants")]
    [TestCase("""{"Options":{"host_device":"ens4"}}""", "spec.NetworkID")]
    public async Task A_tenant_gets_no_more_than_is_granted_and_a_denial_costs_no_id(string spec, string field)
    {
        (await CreateAsync(Objects.Network("TenantNetwork", "t", spec))).Fields.Should().Equal(field);

        Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(0);
    }

    [TestCase("""{"NetworkID":"t","Options":{"host_device":"ens5"}}""", """{"host_device":"ens5"}""", "vxlan")]
    [TestCase("""{"NetworkID":"t","Options":{"host_device":"ens6"}}""", """{"host_device":"ens6"}""", "")]
    [TestCase("""{"NetworkID":"t","NetworkType":"sriov","Options":{"device_pool":"vendor.io/pool"}}""", """{"device_pool":"vendor.io/pool"}""", "vlan")]
    [TestCase("""{"NetworkID":"mine","NetworkType":"Flannel"}""", """{}""", "")]
    public async Task Each_profile_gives_what_it_says(string spec, string options, string vniType)
    {
        var stored = (await CreateAsync(Objects.Network("TenantNetwork", "t", spec))).Accepted().Body;

        var got = stored.At("spec", "Options") as JsonObject ?? [];
        foreach (var (name, value) in (JsonObject)JsonNode.Parse(options)!)
            JsonNode.DeepEquals(got[name], value).Should().BeTrue(got.ToJsonString());
        (got["vlan"] is not null, got["vxlan"] is not null).Should().Be((vniType == "vlan", vniType == "vxlan"));
        if (spec.Contains("Flannel", StringComparison.Ordinal))
            stored.At("spec", "NetworkID").String().Should().Be("flannel-conf");
    }

    [Test]
    public async Task Without_a_choice_one_of_the_devices_is_taken_and_never_a_pool()
    {
        var devices = new HashSet<string>();
        for (var i = 0; i < 30; i++)
            devices.Add((await CreateAsync(Objects.Network("TenantNetwork", $"t{i}", $$"""{"NetworkID":"t{{i}}"}"""))).Body.At("spec", "Options", "host_device").String() ?? "none, for the small range is used up");

        devices.Should().Contain("ens4").And.Contain("ens6").And.NotContain("vendor.io/pool");
    }

    [Test]
    public async Task A_dry_run_tells_the_id_and_reserves_none()
    {
        (await CreateAsync(Objects.Network("TenantNetwork", "t", """{"NetworkID":"t","Options":{"host_device":"ens4"}}"""), "?dryRun=All")).Accepted().Body.At("spec", "Options", "vlan")!.GetValue<int>().Should().BeInRange(2000, 2500);

        Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(0);
        Server.Store.Count("danm.io/v1", "TenantNetwork").Should().Be(0);
    }

    [Test]
    public async Task A_network_that_is_there_already_reserves_nothing_and_says_so()
    {
        var network = Objects.Network("TenantNetwork", "t", """{"NetworkID":"t","Options":{"host_device":"ens4"}}""");
        (await CreateAsync(network)).Accepted();

        var again = await CreateAsync(network);

        (again.Code, again.Body["reason"].String()).Should().Be((409, "AlreadyExists"));
        Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(1);
    }

    [TestCase("DanmNet", "DanmNet")]
    [TestCase("DanmNet", "")]
    [TestCase("TenantNetwork", "TenantNetwork")]
    [TestCase("ClusterNetwork", "ClusterNetwork")]
    public async Task A_network_with_Pods_is_neither_deleted_nor_moved(string kind, string apiType)
    {
        var network = Objects.Network(kind, "n", kind == "TenantNetwork" ? """{"NetworkID":"n","Options":{"host_device":"ens4"}}""" : """{"NetworkID":"n","Options":{"host_device":"ens4","vlan":5}}""");
        var stored = (await CreateAsync(network)).Accepted().Body;
        Server.Store.Create(Endpoint("user", "n", apiType));
        Server.Store.Create(Endpoint("of-another", "m", kind));

        var denied = await DeleteAsync(network);
        denied.Code.Should().Be(403);
        denied.Message.Should().Contain("default/user").And.Contain("rule 22");
        if (kind != "TenantNetwork")
        {
            var moved = (JsonObject)stored.DeepClone();
            moved["spec"]!["Options"]!["vlan"] = 6;
            (await UpdateAsync(moved)).Fields.Should().Equal("spec.Options.vlan");
        }

        Server.Store.Delete("danm.io/v1", "DanmEp", "default", "user");
        (await DeleteAsync(network)).Accepted();
    }

    [Test]
    public async Task Labels_and_finalizers_of_what_the_original_stored_are_nobodys_business()
    {
        // No rule would let it in.
        Server.Store.Create(Objects.Network("DanmNet", "old", """{"NetworkID":"old","Options":{"vlan":5,"alloc":"gAE=","cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.9","end":"10.0.0.5"}}}"""));

        (await SendAsync(HttpMethod.Patch, "/apis/danm.io/v1/namespaces/default/danmnets/old", JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}}}"""), "application/merge-patch+json")).Accepted().Warnings.Should().BeEmpty();

        var touched = await SendAsync(HttpMethod.Patch, "/apis/danm.io/v1/namespaces/default/danmnets/old", JsonNode.Parse("""{"spec":{"Options":{"container_prefix":"net"}}}"""), "application/merge-patch+json");
        touched.Accepted().Warnings.Should().Contain(w => w.StartsWith("kept as it was: spec.Options.allocation_pool.start"));
        touched.Body.At("spec", "Options", "alloc").String().Should().Be("gAE=");
    }

    [Test]
    public async Task A_member_of_the_wrong_type_is_a_denial_that_names_it()
    {
        var answer = await CreateAsync(Objects.Network("DanmNet", "n", """{"NetworkID":"n","Options":{"vlan":"five"}}"""));

        answer.Code.Should().Be(422);
        answer.Fields.Should().Equal("spec.Options.vlan");
    }

    [Test]
    public async Task When_the_API_server_does_not_answer_the_denial_says_to_try_again()
    {
        Server.Faults.Add(new ApiServer.Http.Fault(ApiServer.Http.Fault.On("create", "vniallocations")) { Answer = new StatusException(500, "InternalError", "etcd is away") });

        var answer = await CreateAsync(Objects.Network("TenantNetwork", "t", """{"NetworkID":"t","Options":{"host_device":"ens4"}}"""));

        answer.Code.Should().Be(503);
        answer.Message.Should().Contain("Try again");
    }

    [Test]
    public async Task Probes_and_metrics_tell_how_it_is()
    {
        (await CreateAsync(Objects.Network("DanmNet", "n", """{"NetworkID":"n","Options":{"host_device":"ens4"}}"""))).Accepted();
        (await CreateAsync(Objects.Network("DanmNet", "m", """{"NetworkID":"m","Options":{"vlan":5,"vxlan":5}}"""))).Code.Should().Be(422);

        using var http = new HttpClient();
        var address = $"http://127.0.0.1:{HealthPorts.Values.First()}";
        (await http.GetStringAsync(new Uri($"{address}/readyz?verbose"))).Should().Contain("[+]certificate ok").And.Contain("[+]networks ok");
        (await http.GetStringAsync(new Uri($"{address}/metrics"))).Should()
            .MatchRegex("""(?m)^controller_runtime_webhook_requests_total\{[^}]*code="200",webhook="/netvalidation"\} \d+$""").And
            .MatchRegex("""(?m)^controller_runtime_webhook_requests_in_flight\{[^}]*webhook="/netvalidation"\} 0$""").And
            .MatchRegex("""(?m)^controller_runtime_webhook_latency_seconds_count\{[^}]*webhook="/netvalidation"\} \d+$""").And
            .MatchRegex("""(?m)^danm_webhook_decisions_total\{[^}]*allowed="false",operation="CREATE",webhook="/netvalidation"\} [1-9]""");
    }

    [Test]
    public async Task The_certificate_is_in_a_Secret_and_the_configuration_trusts_it()
    {
        var secret = Server.Store.Get("v1", "Secret", "kube-system", "danm-webhook-tls")!;
        var bundles = Server.Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!["webhooks"]!.AsArray().Select(w => w.At("clientConfig", "caBundle").String());

        bundles.Distinct().Should().Equal(secret.At("data", "ca.crt").String());

        // Somebody applies the manifest again, which has none.
        var configuration = Server.Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!;
        foreach (var webhook in configuration["webhooks"]!.AsArray())
            webhook!["clientConfig"]!.AsObject().Remove("caBundle");
        Server.Store.Update(configuration);
        await Eventually.HoldsAsync(() => Server.Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!["webhooks"]!.AsArray()
            .Select(w => w.At("clientConfig", "caBundle").String()).Distinct().Should().Equal(secret.At("data", "ca.crt").String()), seconds: 70);
    }

    private static JsonObject Endpoint(string pod, string network, string apiType) => new()
    {
        ["apiVersion"] = "danm.io/v1",
        ["kind"] = "DanmEp",
        ["metadata"] = new JsonObject { ["name"] = pod, ["namespace"] = "default" },
        ["spec"] = new JsonObject { ["NetworkName"] = network, ["NetworkType"] = "ipvlan", ["EndpointID"] = pod, ["Pod"] = pod, ["apiType"] = apiType, ["Interface"] = new JsonObject { ["Name"] = "eth0" } },
    };
}
