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
