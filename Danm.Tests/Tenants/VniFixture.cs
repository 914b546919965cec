using System.Text.Json.Nodes;
using Danm.Kube;
using Danm.Kube.Events;
using Danm.Networks;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Tenants;

/// <summary>An API server with our CRDs, and an upkeep of ids whose clock the test moves.</summary>
public abstract class VniFixture
{
    private protected static readonly VniRepairOptions Options = new() { DeletesPerSecond = 1_000_000 };

    private EventRecorder events = null!;

    private protected EmbeddedApiServer Server { get; private set; } = null!;
    private protected ApiClient Api { get; private set; } = null!;
    private protected FakeTimeProvider Clock { get; private set; } = null!;
    private protected ListLogger Log { get; private set; } = null!;
    private protected VniRepair Repair { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        Api = TestClient.Connect(Server.Kubeconfig());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        Api.Dispose();
        await Server.DisposeAsync();
    }

    [SetUp]
    public void NewController()
    {
        (Clock, Log) = (new FakeTimeProvider(), new ListLogger());
        events = new EventRecorder(Api, "danm-controller", null);
        Repair = new VniRepair(Api, Options, events, Log, Clock);
        Server.Requests.Clear();
    }

    [TearDown]
    public async Task Clear()
    {
        Server.Faults.Clear();
        await events.DisposeAsync();
        foreach (var (version, kind) in ((string, string)[])[("danm.io/v1", "TenantNetwork"), ("danm.io/v1", "VNIAllocation"), ("danm.io/v1", "DanmEp"), ("v1", "Event")])
        {
            foreach (var item in Server.Store.List(version, kind))
                Server.Store.Delete(version, kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    private protected Task<VniRepairResult> PassAsync() => Repair.RunAsync(CancellationToken.None);

    /// <summary>The Events, once all are written; further ones are lost.</summary>
    private protected async Task<IReadOnlyList<JsonObject>> EventsAsync()
    {
        await events.DisposeAsync();
        events = new EventRecorder(Api, "danm-controller", null);
        return Server.Store.List("v1", "Event");
    }

    /// <summary>All VNIAllocations: <c>NAME of NAMESPACE/NETWORK</c>.</summary>
    private protected IEnumerable<string> Allocations() => Server.Store.List("danm.io/v1", "VNIAllocation")
        .Select(a => $"{a.At("metadata", "name").String()} of {a.At("spec", "network", "namespace").String()}/{a.At("spec", "network", "name").String()}");

    private protected JsonObject Network(string name, int vlan, string ns = "default") => Server.Store.Create(Objects.Network(
        "TenantNetwork", name, $$$"""{"NetworkID":"{{{name}}}","NetworkType":"ipvlan","Options":{"host_device":"ens4","vlan":{{{vlan}}}}}""", ns));

    private protected JsonObject Reserve(int vlan, string? network = null, JsonObject? annotations = null, string? name = null) => Server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "danm.io/v1", ["kind"] = "VNIAllocation",
        ["metadata"] = new JsonObject { ["name"] = name ?? NameOf(vlan), ["annotations"] = annotations },
        ["spec"] = new JsonObject
        {
            ["device"] = "ens4", ["vniType"] = "vlan", ["vni"] = vlan,
            ["network"] = network is null ? null : new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = "default", ["name"] = network },
        },
    });

    /// <summary>As a webhook does that uses a reservation again.</summary>
    private protected void Touch(int vlan)
    {
        var allocation = Server.Store.Get("danm.io/v1", "VNIAllocation", null, NameOf(vlan))!;
        allocation.Child("metadata").Child("annotations")["danm.io/reserved-at"] = Guid.NewGuid().ToString();
        Server.Store.Update(allocation);
    }

    private protected void DeleteAllocation(int vlan) => Server.Store.Delete("danm.io/v1", "VNIAllocation", null, NameOf(vlan));

    private protected static string NameOf(int vlan) => new Vni("ens4", Encapsulation.Vlan, vlan).AllocationName;
}
