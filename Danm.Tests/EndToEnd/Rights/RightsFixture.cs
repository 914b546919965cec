using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Deployment;
using Danm.Tests.EndToEnd.Cluster;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>
/// A cluster of one node with the kinds, roles, policies and webhooks of a mode, and nothing of it running yet. A component that runs here does so by the
/// command line of its manifest and by its own account; what it asks for there proves which rights it needs.
/// </summary>
public abstract class RightsFixture(string mode)
{
    private protected const string Namespace = "tenant-a";

    private const string WebhookService = "kube-system/danm-webhook-svc";

    private readonly ServiceEndpoints services = new();
    private Dictionary<string, string> tokens = [];
    private List<JsonObject> objects = [];
    private ServicePort? webhook;

    private protected ClusterMode Mode { get; } = ClusterMode.Of(mode);

    private protected HostNode Node { get; private set; } = null!;

    private protected ApiStore Store => Node.Server.Store;

    [OneTimeSetUp]
    public async Task StartCluster()
    {
        objects = Mode.Objects();
        tokens = objects.Where(o => o["kind"].String() == "ServiceAccount").Select(o => o.At("metadata", "name").String()!).ToDictionary(a => a, a => NodeToken.For("node-1", account: a));
        Node = await HostNode.StartAsync(
            new ApiServerOptions { EnforcesRbac = true, Services = services, Tokens = tokens.ToDictionary(t => t.Value, t => UserOf(t.Key)) }, ownProcesses: true);
        foreach (var plural in Mode.Absent())
            Store.Delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", null, $"{plural}.danm.io");
        foreach (var one in objects.Where(o => o["kind"].String() != "CustomResourceDefinition" && !o["apiVersion"].String()!.StartsWith("cert-manager.io/", StringComparison.Ordinal)))
            Store.Create(one.DeepClone());
        Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = Namespace } });
        await Node.ShellAsync("ip address add 192.0.2.1/24 dev parent0");
        webhook = new ServicePort(Node.NetworkPath, new IPEndPoint(IPAddress.Loopback, 8443));
        services.Set(WebhookService, webhook.EndPoint);
    }

    [OneTimeTearDown]
    public async Task StopCluster()
    {
        if (webhook is not null)
            await webhook.DisposeAsync();
        if (Node is not null)
            await Node.DisposeAsync();
    }

    /// <summary>
    /// Fails unless the account could do all that it asked for, and each of its rights was asked for by something that no other right allows. Of
    /// kinds that the mode lacks it must have the right to list them, to see that they are not there; all else of them is for the other mode to show.
    /// </summary>
    private protected void ExpectRightsOf(string account)
    {
        var asked = Node.Server.RightsAsked.Where(q => q.User == UserOf(account)).ToList();
        var roles = new RoleSet(objects.Select(o => (JsonObject)o.DeepClone()));
        var absent = Mode.Absent().ToHashSet();

        asked.Where(q => !roles.Allows(q)).Select(q => $"{q}").Should().BeEmpty("its rights are enough");
        roles.Rights.Should().Contain(r => r.User == UserOf(account));
        roles.Unneeded(asked).Where(r => r.User == UserOf(account) && (!absent.Contains(r.Resource) || r.Verb == "list")).Select(r => $"{r}").Should().BeEmpty("something fails without each right");
    }

    /// <summary>Starts a component as its manifest does.</summary>
    /// <param name="name">Its DaemonSet's or Deployment's.</param>
    /// <param name="arguments">More arguments: those that make it faster.</param>
    private protected Component Start(string name, params string[] arguments)
    {
        var pod = objects.Single(o => o["kind"].String() is "DaemonSet" or "Deployment" && o.At("metadata", "name").String() == name).At("spec", "template", "spec")!;
        var container = pod["containers"]![0]!;
        var kubeconfig = Node.WriteFile(name, Node.KubeconfigText(new KubeconfigOptions { Token = tokens[pod["serviceAccountName"].String()!] }));
        var line = container["args"]!.AsArray().Select(a => a.String()!.Replace("/etc/webhook/certs", Node.PathOf("certs"), StringComparison.Ordinal)).ToList();
        var process = ModeProcess.StartLine(
            [.. Node.Enter, DanmBinary.Path, .. line, "--kubeconfig", kubeconfig, .. arguments], ("NODE_NAME", "node-1"), ("POD_NAMESPACE", "kube-system"));
        return new Component(process, Node, line.Find(a => a.StartsWith("--health-probe-bind-address=", StringComparison.Ordinal))?.Split(':')[^1] ?? "8081");
    }

    /// <summary>A network of the namespace, of the kind that the mode has for that; without a webhook's look.</summary>
    private protected void OwnNetwork(string name, string spec) => Store.Create(Objects.Network(Mode.OwnNetwork, name, spec, Namespace));

    /// <summary>What somebody does to an object between a look at it and its deletion: the name is another object's then.</summary>
    private protected void ReplaceBeforeDeletion(string apiVersion, string kind, string plural)
    {
        RequestRecord? found = null;
        // Several may be under way at once.
        Node.Server.Faults.Add(new Fault(r => Fault.On("delete", plural)(r) && Interlocked.CompareExchange(ref found, r, null) is null)
        {
            Hold = () =>
            {
                var twin = Store.Get(apiVersion, kind, found!.Namespace, found.Name!)!;
                Store.Delete(apiVersion, kind, found.Namespace, found.Name!);
                foreach (var field in (string[])["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"])
                    twin["metadata"]!.AsObject().Remove(field);
                Store.Create(twin);
                return Task.CompletedTask;
            },
        });
    }

    /// <summary>The next Event comes to be, but its answer is lost: whoever says it finds that it is there already, and counts.</summary>
    private protected void LoseAnswerOfEvent() => Node.Server.Faults.Add(new Fault(Fault.On("create", "events")) { Count = 1, DropAfter = true });

    /// <summary>How often something was warned of.</summary>
    private protected int Warnings(string name) => Store.List("v1", "Event").Where(e => e.At("involvedObject", "name").String() == name).Sum(e => e["count"]!.GetValue<int>());

    /// <summary>Stores an object as an administrator who no webhook looks at.</summary>
    private protected JsonObject Create(string json) => Store.Create(JsonNode.Parse(json)!);

    private protected void Change(string apiVersion, string kind, string? ns, string name, Action<JsonObject> change)
    {
        var present = Store.Get(apiVersion, kind, ns, name)!;
        change(present);
        Store.Update(present);
    }

    /// <summary>Sends an object to the server, which asks the webhook; gives what kubectl says.</summary>
    private protected Task<string> KubectlAsync(string command, string json = "") =>
        Node.ShellAsync($"KUBECONFIG={Node.Kubeconfig} kubectl {command} 2>&1 <<'OBJECT' || true\n{json}\nOBJECT");

    private protected bool WasAsked(string account, string verb, string resource) =>
        Node.Server.RightsAsked.Any(q => q.User == UserOf(account) && q.Verb == verb && q.Resource == resource);

    /// <summary>Fails unless a component that has run a while is well in a cluster that lacks some kinds.</summary>
    private protected void ExpectNoComplaints(Component component, string account)
    {
        component.Log.Should().NotContainAny(["fail:", "404 ", .. Mode.Absent()]);
        foreach (var plural in Mode.Absent())
            Node.Server.Requests.All.Count(r => r.User == UserOf(account) && r.Resource == plural).Should().BeLessThan(10, "nobody asks for {0} all the time", plural);
        component.HasExited.Should().BeFalse(component.Log);
    }

    private protected static string UserOf(string account) => $"{UserGroups.ServiceAccountPrefix}kube-system:{account}";

    /// <summary>A component that runs.</summary>
    private protected sealed class Component(ModeProcess process, HostNode node, string port) : IAsyncDisposable
    {
        public string Log => process.Log;

        public bool HasExited => process.HasExited;

        /// <summary>What kubelet asks.</summary>
        public Task UntilReadyAsync() => node.EventuallyAsync(
            $"curl -sS 127.0.0.1:{port}/readyz", t => t.Should().Be("ok", "{0}{1}", t, process.HasExited ? process.Log : ""), seconds: 30);

        /// <summary>As a kubelet ends it.</summary>
        public async Task StopAsync() => (await process.StopAsync()).Should().Be(0, process.Log);

        /// <summary>As a machine that is switched off ends it.</summary>
        public Task KillAsync() => process.KillAsync();

        public ValueTask DisposeAsync() => process.DisposeAsync();
    }
}
