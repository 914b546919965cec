using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Svcwatcher;

/// <summary>A cluster whose svcwatcher has the rights that manifests/ gives it, and no other.</summary>
public abstract class SvcwatcherFixture
{
    private const string Token = "token-of-danm-svcwatcher";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("danm-svcwatcher-");

    private protected EmbeddedApiServer Server { get; private set; } = null!;

    private protected string Kubeconfig { get; private set; } = "";

    [OneTimeSetUp]
    public void Require() => DanmBinary.Require();

    [SetUp]
    public async Task StartServer()
    {
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
        {
            EnforcesRbac = true,
            Manifests = [.. ((string[])["manifests/crds", "manifests/svcwatcher/rbac.yaml", "manifests/svcwatcher/endpoints/rbac.yaml"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
            Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:danm-svcwatcher" },
        });
        Server.Store.Create(JsonNode.Parse("""{"apiVersion":"v1","kind":"Node","metadata":{"name":"node-1"}}""")!);
        Kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
        await File.WriteAllTextAsync(Kubeconfig, Server.Kubeconfig(new KubeconfigOptions { Token = Token }));
    }

    [TearDown]
    public async Task Rights_were_enough()
    {
        var refused = Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().ToList();
        await Server.DisposeAsync();
        refused.Should().BeEmpty();
    }

    [OneTimeTearDown]
    public void Remove() => folder.Delete(recursive: true);

    private protected ModeProcess Start(params string[] arguments) => ModeProcess.Start("svcwatcher", ["--kubeconfig", Kubeconfig, .. arguments]);

    private protected void Service(string name, string spec, params (string Key, string Value)[] annotations) => Server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "v1", ["kind"] = "Service",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["annotations"] = new JsonObject(annotations.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)a.Value))) },
        ["spec"] = JsonNode.Parse(spec),
    });

    /// <summary>A Pod with a status, as a kubelet would have it.</summary>
    private protected void Pod(string name, bool ready, string app = "db", string? hostname = null)
    {
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["labels"] = new JsonObject { ["app"] = app } },
            ["spec"] = new JsonObject { ["nodeName"] = "node-1", ["hostname"] = hostname, ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "i" }) },
        });
        Ready(name, ready);
    }

    private protected void Ready(string pod, bool ready) => Change("v1", "Pod", pod, p => p["status"] = new JsonObject
    {
        ["phase"] = "Running",
        ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False", ["lastTransitionTime"] = "2026-01-02T03:04:05Z" }),
    });

    /// <summary>An interface of a Pod that is there, as the CNI plugin writes it.</summary>
    private protected void Interface(string name, string pod, string network, string address = "", string address6 = "", string kind = "ClusterNetwork", string? uid = null)
    {
        var owner = Server.Store.Get("v1", "Pod", "default", pod)!;
        var labels = (JsonObject)owner.At("metadata", "labels")!.DeepClone();
        labels["danm.io/network"] = network;
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["labels"] = labels },
            ["spec"] = new JsonObject
            {
                ["NetworkName"] = network, ["NetworkType"] = "ipvlan", ["EndpointID"] = name, ["Pod"] = pod, ["PodUID"] = uid ?? owner.At("metadata", "uid").String(), ["Host"] = "node-1",
                ["apiType"] = kind, ["Interface"] = new JsonObject { ["Name"] = network, ["Address"] = address, ["AddressIPv6"] = address6 },
            },
        });
    }

    private protected void Change(string version, string kind, string name, Action<JsonObject> change)
    {
        var present = (JsonObject)Server.Store.Get(version, kind, "default", name)!.DeepClone();
        change(present);
        Server.Store.Update(present);
    }

    private protected IEnumerable<JsonNode> Slices(string service) => Server.Store.List("discovery.k8s.io/v1", "EndpointSlice")
        .Where(s => s.At("metadata", "labels", "kubernetes.io/service-name").String() == service);

    /// <summary>The endpoints of a Service: address, Pod, and ! if it is not ready, ~ if it is terminating.</summary>
    private protected IEnumerable<string> Endpoints(string service) => Slices(service)
        .SelectMany(s => s.At("endpoints") as JsonArray ?? [])
        .Select(e => $"{e.At("addresses")![0]} {e.At("targetRef", "name")}{(e.At("conditions", "ready")?.GetValue<bool>() == true ? "" : "!")}{(e.At("conditions", "terminating")?.GetValue<bool>() == true ? "~" : "")}")
        .Order(StringComparer.Ordinal);

    private protected Task BecomesAsync(string service, params string[] endpoints) =>
        Netwatcher.Eventually.HoldsAsync(() => Endpoints(service).Should().Equal(endpoints), seconds: 20);
}
