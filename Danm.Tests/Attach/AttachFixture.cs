using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Attach;
using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;
using Danm.Tests.State;

namespace Danm.Tests.Attach;

/// <summary>A node's state and an API server, in this process.</summary>
public abstract class AttachFixture
{
    /// <summary>Pod default/amf-0 of the tests.</summary>
    protected const string PodUid = "11111111-2222-3333-4444-555555555555";

    private string logFile = "";

    protected EmbeddedApiServer Server { get; private set; } = null!;

    private protected ApiClient Api { get; private set; } = null!;

    private protected TemporaryState State { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        Api = TestClient.Connect(Server.Kubeconfig());
        foreach (var ns in (string[])["victim", "evil"])
            Server.Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } });
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        Api.Dispose();
        await Server.DisposeAsync();
    }

    [SetUp]
    public void NewNode()
    {
        State = new TemporaryState();
        logFile = Path.GetTempFileName();
    }

    [TearDown]
    public void Clear()
    {
        Server.Faults.Clear();
        foreach (var kind in (string[])["DanmEp", "IPAllocation"])
        {
            foreach (var item in Server.Store.List("danm.io/v1", kind))
                Server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }

        Server.Requests.Clear();
        State.Dispose();
        File.Delete(logFile);
    }

    private protected string LogText => File.ReadAllText(logFile);

    private protected CniRequest Request(CniCommand command, string containerId, string ns = "default", string pod = "amf-0", string? netns = null, string? podUid = PodUid) => new()
    {
        Command = command,
        ContainerId = containerId,
        IfName = "eth0",
        Netns = netns,
        Args = new CniArgs { PodNamespace = ns, PodName = pod, PodUid = podUid, PodInfraContainerId = containerId },
        Config = new NetConf { Name = "danm", LogFile = logFile, Timeout = TimeSpan.FromSeconds(30) },
    };

    private protected Task DelAsync(CniRequest request) =>
        new DelOperation(new NodeCall(request, State.Node), Api).RunAsync(CancellationToken.None);

    private protected Task ReleaseFormerAsync(PodSandbox sandbox, params IReadOnlyList<DanmEp> endpoints) =>
        new FormerSandboxes(new NodeCall(Request(CniCommand.Add, sandbox.ContainerId), State.Node), Api, new PodReader(Api)).ReleaseAsync(sandbox, endpoints, CancellationToken.None);

    private protected static PodSandbox Sandbox(string containerId, string netns = "/run/netns/danm-none", string ns = "default", string pod = "amf-0", string uid = PodUid) =>
        new(new Pod { Metadata = new ObjectMeta { Name = pod, Namespace = ns, Uid = uid } }, uid, containerId, containerId, netns, "node-1");

    /// <summary>Creates a DanmEp and gives it as the server stored it.</summary>
    private protected DanmEp Endpoint(
        string name, string cid, string? netns = null, string ns = "default", string pod = "amf-0", string uid = PodUid, string? allocations = null, string network = "n")
    {
        var made = new DanmEp
        {
            Metadata = new ObjectMeta { Name = name, Namespace = ns, Annotations = allocations is null ? null : new() { [DanmEpSearch.AllocationsAnnotation] = allocations } },
            Spec = new DanmEpSpec
            {
                NetworkName = network, EndpointId = name, Pod = pod, PodUid = uid, ContainerId = cid, Netns = netns, ApiType = "DanmNet",
                Interface = new DanmEpInterface { Name = "eth0", Address = "10.0.0.5/24", AddressIPv6 = "fd00::5/64" },
            },
        };
        var stored = Server.Store.Create(JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(made, ApiJson.Default.DanmEp))!);
        return JsonSerializer.Deserialize(stored.ToJsonString(), ApiJson.Default.DanmEp)!;
    }

    /// <summary>Creates an IPAllocation for a DanmEp.</summary>
    private protected string Allocation(string name, string danmEp, string? containerId, string ns = "default", string pod = "amf-0")
    {
        var made = new IPAllocation
        {
            Metadata = new ObjectMeta { Name = name },
            Spec = new IPAllocationSpec
            {
                Network = new NetworkRef(NetworkKind.DanmNet, ns, "n"),
                Address = "10.0.0.5/24",
                Owner = new IPAllocationOwner { Namespace = ns, Pod = pod, PodUid = PodUid, ContainerId = containerId, Interface = "eth0", DanmEp = danmEp },
            },
        };
        return Server.Store.Create(JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(made, ApiJson.Default.IPAllocation))!).At("metadata", "name").String()!;
    }

    private protected string[] Names(string kind) => [.. Server.Store.List("danm.io/v1", kind).Select(o => o.At("metadata", "name").String()!)];

    /// <summary>The one record that the node has of a container.</summary>
    private protected async Task<SandboxRecord?> RecordAsync(string containerId)
    {
        var journals = await State.FindAsync((_, c) => c == containerId);
        journals.ForEach(j => j.Dispose());
        return journals.SingleOrDefault()?.Last;
    }
}
