using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;
using Danm.Webhook;

namespace Danm.Tests.Webhook;

/// <summary>What a new TenantNetwork gets of the TenantConfig, by a webhook whose copies have stopped at a moment of the past.</summary>
public sealed class TenantAssignmentTests
{
    private const string Vlan = """{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"7"},{"name":"ens5"}],"networkIds":{"bridge":"given"}}""";

    private EmbeddedApiServer server = null!;
    private ApiClient api = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        api = TestClient.Connect(server.Kubeconfig());
    }

    [TearDown]
    public async Task Stop()
    {
        api.Dispose();
        await server.DisposeAsync();
    }

    [Test]
    public async Task A_device_and_an_id_that_were_just_taken_away_are_not_given()
    {
        Configure(Vlan);
        var webhook = await LatecomerAsync();
        (await CreateAsync(webhook, """{"NetworkID":"t","Options":{"host_device":"ens5"}}""")).IsAllowed.Should().BeTrue();
        server.Store.Delete("danm.io/v1", "TenantConfig", null, "tenants");
        Configure("""{"hostDevices":[{"name":"ens6"}]}""");

        foreach (var device in (string[])["ens4", "ens5"])
        {
            var decision = await CreateAsync(webhook, $$$"""{"NetworkID":"t","Options":{"host_device":"{{{device}}}"}}""");
            decision.Status!.Message.Should().Contain($"\"{device}\" is not for tenants: the TenantConfig \"tenants\" allows \"ens6\"");
        }

        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(0);
    }

    [Test]
    public async Task What_was_just_added_is_given()
    {
        var webhook = await LatecomerAsync();
        Configure(Vlan);

        Patch(await CreateAsync(webhook, """{"NetworkID":"t","Options":{"host_device":"ens4"}}""")).Should().Contain("""{"op":"add","path":"/spec/Options/vlan","value":7}""");
    }

    [TestCase("a-first", false)]
    [TestCase("z-last", true)]
    public async Task A_TenantConfig_that_cannot_be_read_denies_if_it_is_the_one_that_counts(string name, bool allowed)
    {
        Configure(Vlan);
        server.Store.Load("danm.io/v1", "TenantConfig", [Config("""{"hostDevices":[{"name":5}]}""", name)]);

        var decision = await CreateAsync(await LatecomerAsync(), """{"NetworkID":"t","Options":{"host_device":"ens5"}}""");

        decision.IsAllowed.Should().Be(allowed);
        if (allowed)
            decision.Warnings.Should().ContainSingle(w => w.StartsWith("there are 2 TenantConfigs"));
        else
            decision.Status!.Message.Should().Contain("TenantConfig/a-first, which says what tenants may have, cannot be read: hostDevices[0].name has the wrong type");
    }

    /// <summary>The order is random: were only the first tried, one of ten would meet what it cannot have.</summary>
    [Test]
    public async Task Without_a_choice_a_device_whose_ids_are_exhausted_leaves_it_to_the_others()
    {
        Configure("""{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"7"},{"name":"ens5","vniType":"vxlan","vniRange":"100-199"}]}""");
        Reserve("vlan7.ens4", "ens4", 7);
        var webhook = await LatecomerAsync();

        for (var i = 0; i < 10; i++)
            Patch(await CreateAsync(webhook, """{"NetworkID":"t"}""", $"t{i}")).Should().Contain("\"ens5\"").And.Contain("/vxlan").And.NotContain("/vlan");
    }

    [Test]
    public async Task Without_a_choice_it_is_denied_when_all_are_exhausted_and_all_are_named()
    {
        Configure("""{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"7"},{"name":"ens5","vniType":"vlan","vniRange":"8"}]}""");
        Reserve("vlan7.ens4", "ens4", 7);
        Reserve("vlan8.ens5", "ens5", 8);
        var webhook = await LatecomerAsync();

        var create = () => CreateAsync(webhook, """{"NetworkID":"t"}""");

        (await create.Should().ThrowAsync<VniException>()).Which.Should().Match<VniException>(e => !e.IsTemporary && e.Message.Contains("vlan 7 on \"ens4\"") && e.Message.Contains("vlan 8 on \"ens5\""));
    }

    [Test]
    public async Task A_choice_that_breaks_a_rule_is_none()
    {
        Configure("""{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"1-100"},{"name":"ens5"}]}""");
        var webhook = await LatecomerAsync();

        for (var i = 0; i < 10; i++)
            Patch(await CreateAsync(webhook, """{"NetworkID":"longer-than-ten"}""", $"t{i}")).Should().Contain("\"ens5\"").And.NotContain("/vlan");
        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(0);
    }

    /// <summary>Of either range, one id is kept for a network that was admitted and is not stored yet.</summary>
    [Test]
    public async Task Nobody_waits_for_a_device_while_another_has_ids()
    {
        Configure("""{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"1-4"},{"name":"ens5","vniType":"vlan","vniRange":"1-4"}]}""");
        var webhook = await LatecomerAsync();

        foreach (var name in (string[])["a", "b"])
            Patch(await CreateAsync(webhook, """{"NetworkID":"t"}""", name)).Should().Contain("host_device");

        server.Store.List("danm.io/v1", "VNIAllocation").Select(a => a.At("metadata", "name").String()).Should().Equal("vlan1.ens4", "vlan1.ens5");
    }

    private void Reserve(string name, string device, int vni) => server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "danm.io/v1", ["kind"] = "VNIAllocation", ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["device"] = device, ["vniType"] = "vlan", ["vni"] = vni,
            ["network"] = new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = "other", ["name"] = "theirs" },
        },
    });

    private void Configure(string body) => server.Store.Create(Config(body));

    private static JsonObject Config(string body, string name = "tenants")
    {
        var config = (JsonObject)JsonNode.Parse(body)!;
        (config["apiVersion"], config["kind"], config["metadata"]) = ("danm.io/v1", "TenantConfig", new JsonObject { ["name"] = name });
        return config;
    }

    /// <summary>A webhook that knows what is now, and hears of nothing that comes.</summary>
    private async Task<NetworkValidation> LatecomerAsync()
    {
        using var stop = new CancellationTokenSource();
        var view = new NetworkView(api, failure => TestContext.Progress.WriteLine(failure));
        var running = view.RunAsync(stop.Token);
        await Eventually.IsTrueAsync(() => !view.Unknown.Any());
        await stop.CancelAsync();
        await running;
        return new NetworkValidation(view, new TenantAssignment(api, view, new VniReserver(api, view)), new ConnectedPods(api));
    }

    private static Task<Decision> CreateAsync(NetworkValidation webhook, string spec, string name = "t") => webhook.DecideAsync(
        new AdmissionRequest
        {
            Kind = new GroupVersionKind { Group = ApiNames.Group, Version = "v1", Kind = ApiNames.TenantNetwork },
            Operation = "CREATE",
            Namespace = "default",
            Object = JsonElement.Parse(Objects.Network("TenantNetwork", name, spec).ToJsonString()),
        },
        CancellationToken.None);

    private static string Patch(Decision decision)
    {
        decision.IsAllowed.Should().BeTrue(decision.Status?.Message);
        return System.Text.Encoding.UTF8.GetString(decision.Patch ?? []);
    }
}
