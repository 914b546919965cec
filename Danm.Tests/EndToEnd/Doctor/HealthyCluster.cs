using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Deployment;

namespace Danm.Tests.EndToEnd.Doctor;

/// <summary>
/// A node as the installer leaves it, and a cluster with all that manifests/production has: its webhook runs, and of the others there is what
/// the API server would say of them.
/// </summary>
internal sealed class HealthyCluster : IAsyncDisposable
{
    public const string Image = "localhost/danm:0.1.0", System = "kube-system", Nobody = "token-of-nobody";

    private const string WebhookToken = "token-of-danm-webhook", WebhookService = "danm-webhook-svc";

    private static readonly string InstallerToken = NodeToken.For("node-1", account: "danm-installer");

    private const string Primary = """
        {"cniVersion":"1.0.0","name":"pods","plugins":[
          {"type":"bridge","bridge":"br0","ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}},
          {"type":"portmap","capabilities":{"portMappings":true},"snat":false}]}
        """;

    private readonly ServiceEndpoints services;
    private ModeProcess webhook = null!;

    private HealthyCluster(HostNode node, ServiceEndpoints services) => (Node, this.services) = (node, services);

    public HostNode Node { get; }

    public ApiStore Store => Node.Server.Store;

    public string Bin => Node.PathOf("bin");

    public string Conf => Node.PathOf("net.d");

    public string Conflist => Path.Combine(Conf, "00-danm.conflist");

    public string Secret(string name) => Path.Combine(Conf, "danm.d", name);

    public static async Task<HealthyCluster> StartAsync()
    {
        var services = new ServiceEndpoints();
        var node = await HostNode.StartAsync(
            new ApiServerOptions
            {
                EnforcesRbac = true,
                Services = services,
                Tokens = new Dictionary<string, string>
                {
                    [InstallerToken] = $"system:serviceaccount:{System}:danm-installer", [WebhookToken] = $"system:serviceaccount:{System}:danm-webhook", [Nobody] = "nobody",
                },
            },
            ownProcesses: true, servesHere: true);
        var cluster = new HealthyCluster(node, services);
        try
        {
            cluster.Populate();
            await cluster.StartWebhookAsync();
            await cluster.InstallAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the doctor on the node, as an administrator unless a kubeconfig is named.</summary>
    public Task<DoctorResult> DoctorAsync(params string[] arguments) => RunAsync(
        [.. Node.Enter, DanmBinary.Path, "doctor", "--cni-bin-dir", Bin, "--cni-conf-dir", Conf, .. arguments.Contains("--kubeconfig") ? (string[])[] : ["--kubeconfig", Node.Kubeconfig], .. arguments]);

    public static async Task<DoctorResult> RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return new DoctorResult(process.ExitCode, await output, await error);
    }

    /// <summary>Changes a stored object; what is returned brings it back.</summary>
    public Action Change(string apiVersion, string kind, string? ns, string name, Action<JsonObject> change)
    {
        var before = Store.Get(apiVersion, kind, ns, name)!;
        var changed = (JsonObject)before.DeepClone();
        change(changed);
        Store.Overwrite(changed);
        return () => Store.Overwrite(before);
    }

    /// <summary>Deletes a stored object; what is returned makes it again.</summary>
    public Action Remove(string apiVersion, string kind, string? ns, string name)
    {
        var before = Store.Get(apiVersion, kind, ns, name)!;
        Store.Delete(apiVersion, kind, ns, name);
        return () => Store.Load(apiVersion, kind, [before]);
    }

    /// <summary>Stores an object; what is returned deletes it.</summary>
    public Action Add(JsonObject o)
    {
        var made = Store.Create(o);
        if (o["status"] is { } status)
        {
            made["status"] = status.DeepClone();
            Store.Overwrite(made);
        }

        return () => Store.Delete(o["apiVersion"].String()!, o["kind"].String()!, o.At("metadata", "namespace").String(), o.At("metadata", "name").String()!);
    }

    /// <summary>Writes a file over another one or none; what is returned brings back what was there.</summary>
    public static Action Write(string path, string content)
    {
        var (before, mode) = File.Exists(path) ? (File.ReadAllBytes(path), File.GetUnixFileMode(path)) : (null, default);
        File.WriteAllText(path, content);
        return () =>
        {
            File.Delete(path);
            if (before is null)
                return;
            File.WriteAllBytes(path, before);
            File.SetUnixFileMode(path, mode);
        };
    }

    /// <summary>Takes a file away; what is returned brings it back.</summary>
    public static Action Hide(string path)
    {
        var hidden = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(path)!)!, $"hidden-{Path.GetFileName(path)}");
        File.Move(path, hidden);
        return () => File.Move(hidden, path);
    }

    public static JsonObject Workload(string kind, string name, string image, string account = "default", string? ns = System) => (JsonObject)JsonNode.Parse($$$"""
        {"apiVersion":"apps/v1","kind":"{{{kind}}}","metadata":{"name":"{{{name}}}","namespace":"{{{ns}}}"},
         "spec":{"selector":{"matchLabels":{"app":"x"} },"template":{"metadata":{"labels":{"app":"x"} },"spec":{"serviceAccountName":"{{{account}}}","containers":[{"name":"c","image":"{{{image}}}"}]} } } }
        """)!;

    public async ValueTask DisposeAsync()
    {
        if (webhook is not null)
            await webhook.DisposeAsync();
        await Node.DisposeAsync();
    }

    private void Populate()
    {
        foreach (var o in Kustomization.Build(Path.Combine(DanmBinary.Repository, "manifests/production")).Where(o => o["kind"].String() != "CustomResourceDefinition"))
            Store.Create(o);
        foreach (var name in (string[])["danm-cni", "netwatcher"])
            Change("apps/v1", "DaemonSet", System, name, o => o["status"] = Json.ParseObject("""{"desiredNumberScheduled":1,"numberReady":1,"updatedNumberScheduled":1}"""u8.ToArray()));
        foreach (var name in (string[])["danm-controller", "danm-webhook-deployment", "danm-svcwatcher"])
            Change("apps/v1", "Deployment", System, name, o => o["status"] = Json.ParseObject("""{"replicas":2,"readyReplicas":2,"updatedReplicas":2}"""u8.ToArray()));
        foreach (var (name, label) in ((string, string)[])[("danm-cni-x", "cni"), ("netwatcher-x", "netwatcher")])
        {
            var pod = Objects.Pod(name, null, System, labels: new JsonObject { ["danm"] = label });
            pod["status"] = Json.ParseObject("""{"conditions":[{"type":"Ready","status":"True"}]}"""u8.ToArray());
            Add(pod);
        }

        foreach (var name in (string[])["danm-controller", "danm-svcwatcher"])
            Add(Lease(name, DateTimeOffset.UtcNow));
        Add((JsonObject)JsonNode.Parse($$"""
            {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"{{WebhookService}}-x","namespace":"{{System}}","labels":{"kubernetes.io/service-name":"{{WebhookService}}"} },
             "addressType":"IPv4","endpoints":[{"addresses":["192.0.2.7"],"conditions":{"ready":true} }],"ports":[{"name":"webhook","port":8443,"protocol":"TCP"}]}
            """)!);
    }

    private static JsonObject Lease(string name, DateTimeOffset renewed) => new()
    {
        ["apiVersion"] = "coordination.k8s.io/v1", ["kind"] = "Lease", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = System },
        ["spec"] = new JsonObject { ["holderIdentity"] = $"{name}-1", ["leaseDurationSeconds"] = 3600, ["renewTime"] = global::Danm.Api.LeaseSpec.ToMicroTime(renewed) },
    };

    private async Task StartWebhookAsync()
    {
        var port = FreePort();
        var kubeconfig = Node.WriteFile("webhook", Node.Server.Kubeconfig(new KubeconfigOptions { Token = WebhookToken }));
        webhook = ModeProcess.Start("webhook", "--kubeconfig", kubeconfig, "--bind-address=127.0.0.1", $"--bind-port={port}", "--self-signed", $"--namespace={System}");
        services.Set($"{System}/{WebhookService}", new IPEndPoint(IPAddress.Loopback, port));
        await Kube.Eventually.IsTrueAsync(
            () => webhook.HasExited || Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!["webhooks"]!.AsArray().All(w => w.At("clientConfig", "caBundle").String() is { Length: > 0 }),
            "the webhook has written its caBundle");
        webhook.HasExited.Should().BeFalse(webhook.Log);
    }

    private async Task InstallAsync()
    {
        Directory.CreateDirectory(Conf);
        Directory.CreateDirectory(Bin);
        Node.WriteFile("net.d/10-pods.conflist", Primary);
        foreach (var plugin in (string[])["bridge", "portmap"])
            File.CreateSymbolicLink(Path.Combine(Bin, plugin), $"/usr/lib/cni/{plugin}");
        Node.WriteFile("installer", Node.KubeconfigText(new KubeconfigOptions { Token = InstallerToken }));
        await Node.ShellAsync($"{DanmBinary.Path} install --once --kubeconfig {Node.PathOf("installer")} --node-name node-1 --cni-bin-dir {Bin} --cni-conf-dir {Conf} --host-cni-conf-dir {Conf}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
