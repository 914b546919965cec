using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Controller;

/// <summary>A cluster whose controller has the rights that manifests/ gives it, and no other.</summary>
public abstract class ControllerFixture
{
    private const string Token = "token-of-danm-controller";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("danm-controller-");

    private protected EmbeddedApiServer Server { get; private set; } = null!;

    /// <summary>The kinds that the cluster has: a file or a folder of manifests each.</summary>
    private protected virtual IReadOnlyList<string> Crds => ["manifests/crds"];

    private protected string Kubeconfig { get; private set; } = "";

    [OneTimeSetUp]
    public async Task StartServer()
    {
        DanmBinary.Require();
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
        {
            EnforcesRbac = true,
            Manifests = [.. Crds.Append("manifests/controller/rbac.yaml").Select(m => Path.Combine(DanmBinary.Repository, m))],
            Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:danm-controller" },
        });
        Kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
        await File.WriteAllTextAsync(Kubeconfig, Server.Kubeconfig(new KubeconfigOptions { Token = Token }));
    }

    [OneTimeTearDown]
    public async Task StopServer()
    {
        if (Server is not null)
            await Server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [TearDown]
    public void Rights_were_enough()
    {
        Server.Faults.Clear();
        Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().Should().BeEmpty();
        Server.Requests.Clear();
        foreach (var (version, kind) in ((string, string)[])
            [("danm.io/v1", "DanmEp"), ("danm.io/v1", "IPAllocation"), ("danm.io/v1", "TenantNetwork"), ("danm.io/v1", "VNIAllocation"), ("v1", "Node"), ("v1", "Event"), ("coordination.k8s.io/v1", "Lease")])
        {
            if (!Knows(kind))
                continue;
            foreach (var item in Server.Store.List(version, kind))
                Server.Store.Delete(version, kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    private protected virtual bool Knows(string kind) => true;

    private protected ModeProcess Start(params string[] arguments) => ModeProcess.Start("controller", ["--kubeconfig", Kubeconfig, .. arguments]);

    /// <summary>Starts one, and waits until it leads and has looked at all there is.</summary>
    private protected async Task<ModeProcess> StartLeaderAsync(params string[] arguments)
    {
        var controller = Start(arguments);
        await Tests.Kube.Eventually.IsTrueAsync(() => Server.Requests.Where("list", "ipallocations").Any(r => r.Ended is not null), controller.Log);
        return controller;
    }

    private protected void Node(string name, string ready = "True", params string[] taints)
    {
        var node = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["taints"] = new JsonArray([.. taints.Select(t => new JsonObject { ["key"] = t, ["effect"] = "NoExecute" })]) },
        };
        if (Server.Store.Get("v1", "Node", null, name) is { } present)
            (node["metadata"], _) = (present["metadata"]!.DeepClone(), 0);
        else
            node["metadata"] = Server.Store.Create(node.DeepClone())["metadata"]!.DeepClone();
        node["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready }) };
        Server.Store.Update(node);
    }

    private protected void DeleteNode(string name) => Server.Store.Delete("v1", "Node", null, name);

    /// <summary>A Pod's interface on a node: DanmEp and IPAllocation.</summary>
    private protected void Attach(string pod, string node)
    {
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = pod, ["namespace"] = "default" },
            ["spec"] = new JsonObject { ["NetworkName"] = "n", ["EndpointID"] = pod, ["Pod"] = pod, ["Host"] = node, ["nodeName"] = node },
        });
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation", ["metadata"] = new JsonObject { ["name"] = $"10-0-0-5.untagged.{pod}" },
            ["spec"] = new JsonObject
            {
                ["network"] = new JsonObject { ["kind"] = "ClusterNetwork", ["name"] = "n" }, ["address"] = "10.0.0.5/16", ["nodeName"] = node,
                ["owner"] = new JsonObject { ["namespace"] = "default", ["pod"] = pod, ["podUID"] = "u", ["danmEp"] = pod },
            },
        });
    }

    /// <summary>The Pods that have a DanmEp or an IPAllocation.</summary>
    private protected IEnumerable<string> Attached() => Server.Store.List("danm.io/v1", "DanmEp").Select(e => e.At("spec", "Pod").String()!)
        .Union(Server.Store.List("danm.io/v1", "IPAllocation").Select(a => a.At("spec", "owner", "pod").String()!)).Order(StringComparer.Ordinal);

    private protected string? Leader() => Server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "danm-controller").At("spec", "holderIdentity").String();
}
