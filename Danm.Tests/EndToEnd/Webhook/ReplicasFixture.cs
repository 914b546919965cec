using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.ApiServer.Tests;
using Danm.Tests.Kube;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>
/// Three replicas behind a Service that leads, as kubelet and kube-proxy would have it, where a readiness probe succeeds: new connections
/// do, and those that are open stay. Tenants may have 600 VLANs on ens4.
/// </summary>
public abstract class ReplicasFixture : WebhookFixture
{
    private const string ControllerToken = "token-of-danm-controller";

    private static readonly TimeSpan ProbePeriod = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource stop = new();
    private ImmutableArray<int> ports = [];
    private Task proxying = Task.CompletedTask;

    private protected sealed override int Replicas => 3;

    /// <summary>A namespace that no other test has used: what a replica remembers of ids goes by it.</summary>
    private protected string Tenant { get; private set; } = "";

    /// <summary>Another such.</summary>
    private protected string Neighbour => $"{Tenant}-neighbour";

    [OneTimeSetUp]
    public async Task Prepare()
    {
        ports = [.. HealthPorts.Keys];
        proxying = ProxyAsync();
        foreach (var document in Manifests.Read(Path.Combine(DanmBinary.Repository, "manifests/controller/rbac.yaml")))
            Server.Store.Create(document);
        Server.Tokens[ControllerToken] = "system:serviceaccount:kube-system:danm-controller";
        await File.WriteAllTextAsync(InFolder("controller"), Server.Kubeconfig(new KubeconfigOptions { Token = ControllerToken }));
        (await CreateAsync(TenantConfig("tenants", """{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"100-699"}]}"""))).Accepted();
    }

    [OneTimeTearDown]
    public async Task StopProxy()
    {
        await stop.CancelAsync();
        await proxying;
        stop.Dispose();
    }

    [SetUp]
    public void MakeTenants()
    {
        foreach (var kind in (string[])["TenantNetwork", "DanmNet", "VNIAllocation"])
        {
            foreach (var item in Server.Store.List("danm.io/v1", kind))
                Server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }

        Tenant = $"tenant-{TestContext.CurrentContext.Test.ID.Replace('.', '-')}";
        foreach (var ns in (string[])[Tenant, Neighbour])
            Server.Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } });
    }

    /// <summary>One replica more, which gets requests as soon as it is ready.</summary>
    private protected async Task AddReplicaAsync()
    {
        var port = await StartReplicaAsync();
        ImmutableInterlocked.Update(ref ports, p => p.Add(port));
    }

    /// <summary>The controller, which frees ids that have been unused for a second.</summary>
    private protected ModeProcess StartController() => ModeProcess.Start("controller", "--kubeconfig", InFolder("controller"), "--vni-grace=1s", "--allow-short-vni-grace");

    /// <summary>Waits for what the controller is to do.</summary>
    private protected static async Task BringsAboutAsync(ModeProcess controller, Func<bool> done)
    {
        try
        {
            await Eventually.IsTrueAsync(() => controller.HasExited || done());
            done().Should().BeTrue();
        }
        catch (AssertionException e)
        {
            throw new AssertionException($"{e.Message}; the controller says: {controller.Log}", e);
        }
    }

    private protected static JsonObject TenantNetwork(string ns, string name) =>
        Objects.Network("TenantNetwork", name, """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", ns);

    /// <summary>The ids that stored TenantNetworks have.</summary>
    private protected IReadOnlyList<int> Stored() => [.. Server.Store.List("danm.io/v1", "TenantNetwork").Select(n => n.At("spec", "Options", "vlan")!.GetValue<int>())];

    /// <summary>The ids that are reserved, for whomever.</summary>
    private protected IReadOnlyList<int> Reserved() => [.. Server.Store.List("danm.io/v1", "VNIAllocation").Select(a => a.At("spec", "vni")!.GetValue<int>())];

    /// <summary>Another webhook, asked after ours, that refuses one operation on a namespace's TenantNetworks until it is disposed of.</summary>
    private protected async Task<IAsyncDisposable> RefuseAsync(string ns, string operation)
    {
        var host = await WebhookHost.StartAsync();
        host.Answer = _ => Task.FromResult(WebhookHost.Deny("not here", 403, "Forbidden"));
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "admissionregistration.k8s.io/v1",
            ["kind"] = "MutatingWebhookConfiguration",
            ["metadata"] = new JsonObject { ["name"] = "refuses-after-danm" },
            ["webhooks"] = new JsonArray(new JsonObject
            {
                ["name"] = "refuses.example.io",
                ["sideEffects"] = "None",
                ["admissionReviewVersions"] = new JsonArray("v1"),
                ["clientConfig"] = host.ClientConfig(),
                ["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = ns } },
                ["rules"] = new JsonArray(new JsonObject
                {
                    ["operations"] = new JsonArray(operation),
                    ["apiGroups"] = new JsonArray("danm.io"),
                    ["apiVersions"] = new JsonArray("v1"),
                    ["resources"] = new JsonArray("tenantnetworks"),
                }),
            }),
        });
        return new Refusal(Server, host);
    }

    private async Task ProxyAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var now = ports;
            var ready = await Task.WhenAll(now.Select(IsReadyAsync));
            Serve([.. now.Where((_, i) => ready[i])]);
            await Task.Delay(ProbePeriod, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private sealed class Refusal(EmbeddedApiServer server, WebhookHost host) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            server.Store.Delete("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "refuses-after-danm");
            return host.DisposeAsync();
        }
    }
}
