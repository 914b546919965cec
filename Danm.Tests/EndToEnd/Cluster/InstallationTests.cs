using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.Deployment;
using Danm.Tests.EndToEnd.Image;
using Danm.Tests.EndToEnd.Netwatcher;
using Danm.Tests.EndToEnd.Runtime;
using Danm.Tests.EndToEnd.Runtime.Cri;

namespace Danm.Tests.EndToEnd.Cluster;

/// <summary>
/// manifests/production on a cluster of one node, from nothing to nothing: containerd has Debian's bridge, portmap and bandwidth as its primary
/// network; everything of Danm runs from the image, as containers with the rights, mounts and accounts that the manifests give them.
/// </summary>
[TestFixture, Parallelizable]
public sealed class InstallationTests
{
    // What kube-proxy makes of the Service "kubernetes"; not the host's own name either.
    private const string ServiceAddress = "10.96.0.1";

    private const string Primary = """
        {"cniVersion":"1.0.0","name":"pods","plugins":[
          {"type":"bridge","bridge":"br0","isDefaultGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}},
          {"type":"portmap","capabilities":{"portMappings":true},"snat":false},
          {"type":"bandwidth","capabilities":{"bandwidth":true}}]}
        """;

    private static readonly string Production = Path.Combine(DanmBinary.Repository, "manifests/production");

    private readonly ServiceEndpoints services = new();
    private ContainerRuntime runtime = null!;
    private ServicePort webhook = null!;
    private Workloads workloads = null!;

    private HostNode Node => runtime.Node;

    private ApiStore Store => Node.Server.Store;

    [OneTimeSetUp]
    public async Task StartCluster()
    {
        ImageArchive.Require();
        runtime = await ContainerRuntime.StartPlainAsync(
            new ApiServerOptions { EnforcesRbac = true, Hosts = [ServiceAddress], Services = services },
            $"""
            ip address add {ServiceAddress}/32 dev lo
            ip address add 192.0.2.1/24 dev parent0
            cp -L /usr/lib/cni/* /opt/cni/bin/
            cat >/etc/cni/net.d/10-pods.conflist <<'LIST'
            {Primary}
            LIST
            """);
        webhook = new ServicePort(Node.NetworkPath, new IPEndPoint(IPAddress.Loopback, 8443));
        services.Set("kube-system/danm-webhook-svc", webhook.EndPoint);
        workloads = new Workloads(Store, new Kubelet(runtime, "node-1", (ServiceAddress, Node.Port)));
        await runtime.ImportAsync(ImageArchive.Path, ImageArchive.Name);
        NextImage.Write(Node.PathOf("next.tar"));
        await runtime.ImportAsync(Node.PathOf("next.tar"), NextImage.Name);
    }

    [OneTimeTearDown]
    public async Task EndCluster()
    {
        if (webhook is not null)
            await webhook.DisposeAsync();
        if (runtime is null)
            return;
        await runtime.RemoveAllAsync();
        await runtime.DisposeAsync();
    }

    [Test]
    public async Task From_nothing_over_an_upgrade_to_nothing()
    {
        var before = await FilesAsync();
        var early = await StartAsync("early", "default", null, new PortMapping { ContainerPort = 80, HostPort = 8079 });

        await InstallAsync();
        await EarlierPodEndsAsync(early);
        var plain = await PlainPodAsync();
        var (app, address) = await TenantPodAsync();
        await ServiceLeadsToAsync(address);
        await Eventually.HoldsAsync(async () => Alerts.Faults(Alerts.Rules, Alerts.Monitor, [.. (await workloads.MetricsAsync(Alerts.Monitor)).SelectMany(Alerts.Series)]).ToList().Should().BeEmpty());

        await workloads.StopAsync("danm-cni");
        var alone = await StartAsync("alone", "default", """[{"clusterNetwork":"default"}]""");
        await EndAsync(alone);

        await UpgradeAsync();
        var later = await StartAsync("later", "tenant-a", """[{"tenantNetwork":"internal","ip":"dynamic"}]""");
        foreach (var pod in (PodOfTest[])[plain, app, later])
            await EndAsync(pod);
        Node.Objects().Where(o => o.At("metadata", "namespace").String() != "kube-system").Should().BeEmpty("each build frees what the other one gave");
        (await Node.ShellAsync("nft list ruleset; iptables-save 2>/dev/null; true")).Should().NotContain("8080");

        await UninstallAsync();

        (await FilesAsync()).Should().Be(before);
        (await Node.ShellAsync("ls -d /var/lib/cni/danm 2>/dev/null; ip -o link show type vxlan; ip -o link show type macvlan; true")).Trim().Should().BeEmpty();
        Node.Server.Requests.All.Where(r => r.Status == 403 && r.User.StartsWith("system:", StringComparison.Ordinal)).Select(r => $"{r.User} {r.Verb} {r.Path}")
            .Should().BeEmpty("the rights of manifests/ are enough");
    }

    private async Task InstallAsync()
    {
        foreach (var one in Kustomization.Build(Production).Where(o => o["kind"].String() != "CustomResourceDefinition"))
            Store.Create(one);
        foreach (var ns in (string[])["tenant-a", "a-new-namespace"])
            Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } });
        await workloads.SettleAsync();
        workloads.Names.Should().BeEquivalentTo("danm-cni", "netwatcher", "danm-controller", "danm-webhook-deployment", "danm-svcwatcher");
        await workloads.UntilReadyAsync();
        await Eventually.HoldsAsync(() => Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!["webhooks"]!.AsArray()
            .Select(w => w.At("clientConfig", "caBundle")).Should().NotContainNulls());
        await Eventually.HoldsAsync(async () => (await CniOfRuntimeAsync()).Should().Contain("danm_meta_cni"));
    }

    /// <summary>A Pod that started before Danm ends through it: its lease and its port on the host are given back.</summary>
    private async Task EarlierPodEndsAsync(PodOfTest early)
    {
        (await Node.ShellAsync("ls /run/leases/pods; nft list ruleset; iptables-save 2>/dev/null; true")).Should().Contain("10.7.0.2").And.Contain("8079");
        await EndAsync(early);
        (await Node.ShellAsync("ls /run/leases/pods; nft list ruleset; iptables-save 2>/dev/null; true")).Should().NotContain("10.7.0.2\n").And.NotContain("8079");
        (await Node.ShellAsync("ls /var/lib/cni/results 2>/dev/null; true")).Should().NotContain(early.Sandbox);
    }

    private async Task<PodOfTest> PlainPodAsync()
    {
        var plain = await StartAsync("plain", "a-new-namespace", null, new PortMapping { ContainerPort = 80, HostPort = 8080 });
        (await runtime.StatusAsync(plain.Sandbox)).Network.Ip.Should().StartWith("10.7.0.", "Pods that ask for nothing get what they had before");
        (await Node.ShellAsync("nft list ruleset; iptables-save 2>/dev/null; true")).Should().Contain("8080", "hostPort works as before");
        Store.List("danm.io/v1", "DanmEp").Should().ContainSingle().Which.At("spec", "nodeName").String().Should().Be("node-1");
        return plain;
    }

    /// <summary>An administrator's TenantConfig and a tenant's network go through the webhook; netwatcher makes the interface; a Pod stands on it.</summary>
    private async Task<(PodOfTest Pod, string Address)> TenantPodAsync()
    {
        await ApplyAsync("""
            {"apiVersion":"danm.io/v1","kind":"TenantConfig","metadata":{"name":"tenants"},"hostDevices":[{"name":"parent0","vniType":"vxlan","vniRange":"100-110"}]}
            """);
        (await Node.ShellAsync($"KUBECONFIG={Node.Kubeconfig} kubectl create --validate=false -f - <<'OBJECT' 2>&1 || true\n{Tenant("wrong", "10.5.0.0/99")}\nOBJECT"))
            .Should().Contain("10.5.0.0/99", "the webhook refuses it");
        await ApplyAsync(Tenant("internal", "10.5.0.0/24"));
        var stored = Store.Get("danm.io/v1", "TenantNetwork", "tenant-a", "internal")!;
        (stored.At("spec", "Options", "host_device").String(), (int)stored.At("spec", "Options", "vxlan")!).Should().Be(("parent0", 100));
        Store.List("danm.io/v1", "VNIAllocation").Should().ContainSingle();
        await Node.EventuallyAsync("ip -o link show type vxlan", text => text.Should().Contain("vx_internal:").And.Contain("vxlan100.parent0"));

        var app = await StartAsync("app", "tenant-a", """[{"clusterNetwork":"default"},{"tenantNetwork":"internal","ip":"dynamic"}]""");
        var address = Store.List("danm.io/v1", "IPAllocation").Should().ContainSingle().Which.At("spec", "address").String()!.Split('/')[0];
        (await runtime.InSandboxAsync(app.Sandbox, "ip -o -4 address show dev eth1")).Should().Contain($" {address}/24 ");
        return (app, address);

        static string Tenant(string name, string cidr) =>
            $$"""{"apiVersion":"danm.io/v1","kind":"TenantNetwork","metadata":{"name":"{{name}}","namespace":"tenant-a"},"spec":{"NetworkID":"{{name}}","NetworkType":"macvlan","Options":{"cidr":"{{cidr}}"} } }""";
    }

    private async Task ServiceLeadsToAsync(string address)
    {
        await ApplyAsync("""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"app","namespace":"tenant-a","annotations":{"danm.io/selector":"{\"app\":\"app\"}","danm.io/tenantNetwork":"internal"}},
             "spec":{"clusterIP":"None","ports":[{"port":80}]}}
            """);
        await Eventually.HoldsAsync(() => Store.List("discovery.k8s.io/v1", "EndpointSlice", "tenant-a").Where(s => s["addressType"].String() == "IPv4").Should().ContainSingle()
            .Which["endpoints"]!.AsArray().Should().ContainSingle().Which!["addresses"]![0].String().Should().Be(address));
    }

    /// <summary>All workloads get the other build's image; Pods of the first go on.</summary>
    private async Task UpgradeAsync()
    {
        foreach (var kind in (string[])["DaemonSet", "Deployment"])
        {
            foreach (var stored in Store.List("apps/v1", kind))
            {
                var workload = (JsonObject)stored.DeepClone();
                workload["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] = NextImage.Name;
                Store.Update(workload);
            }
        }

        await workloads.SettleAsync();
        await workloads.UntilReadyAsync();
        (await Node.ShellAsync($"tail -c {NextImage.Mark.Length} /opt/cni/bin/danm")).Should().Be(System.Text.Encoding.ASCII.GetString(NextImage.Mark), "the installer replaces the plugin");
    }

    /// <summary>As docs/install.md says.</summary>
    private async Task UninstallAsync()
    {
        Store.Delete("v1", "Service", "tenant-a", "app");
        await KubectlAsync("delete tenantnetworks,tenantconfigs --all --all-namespaces");
        await Node.EventuallyAsync("ip -o link show type vxlan", text => text.Should().BeEmpty());
        Store.Delete("apps/v1", "DaemonSet", "kube-system", "danm-cni");
        await workloads.SettleAsync();
        foreach (var one in Kustomization.Build(Path.Combine(Production, "../uninstall")))
            Store.Create(one);
        // What is not in the host's network has an interface of Danm's until it is started anew.
        await workloads.StopAsync("danm-svcwatcher");
        Store.Delete("apps/v1", "Deployment", "kube-system", "danm-svcwatcher");
        await workloads.SettleAsync();
        await workloads.UntilReadyAsync();
        await Eventually.HoldsAsync(async () => (await CniOfRuntimeAsync()).Should().NotContain("danm_meta_cni"));
        Store.Delete("apps/v1", "DaemonSet", "kube-system", "danm-uninstall");
        foreach (var one in Kustomization.Build(Production).Where(o => o["kind"].String() is "DaemonSet" or "Deployment"))
        {
            if (Store.Get("apps/v1", one["kind"].String()!, "kube-system", one.At("metadata", "name").String()!) is not null)
                Store.Delete("apps/v1", one["kind"].String()!, "kube-system", one.At("metadata", "name").String()!);
        }

        await workloads.SettleAsync();
        workloads.Names.Should().BeEmpty();
        Node.Objects().Should().BeEmpty();
        await RemoveObjectsAsync();
    }

    private async Task RemoveObjectsAsync()
    {
        var all = Kustomization.Build(Production).Concat(Kustomization.Build(Path.Combine(Production, "../uninstall")))
            .Select(o => (ApiVersion: o["apiVersion"].String()!, Kind: o["kind"].String()!, Namespace: o.At("metadata", "namespace").String(), Name: o.At("metadata", "name").String()!)).Distinct().ToList();
        var list = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "List",
            ["items"] = new JsonArray([.. all.Select(o => new JsonObject { ["apiVersion"] = o.ApiVersion, ["kind"] = o.Kind, ["metadata"] = new JsonObject { ["namespace"] = o.Namespace, ["name"] = o.Name } })]),
        };
        await File.WriteAllTextAsync(Node.PathOf("all.json"), list.ToJsonString());
        await KubectlAsync($"delete --ignore-not-found -f {Node.PathOf("all.json")}");
        await KubectlAsync("-n kube-system delete secret/danm-webhook-tls lease/danm-controller lease/danm-svcwatcher");
        all.Where(o => !o.ApiVersion.StartsWith("danm.io", StringComparison.Ordinal) && Store.Get(o.ApiVersion, o.Kind, o.Namespace, o.Name) is not null).Should().BeEmpty();
        Store.List("v1", "Secret").Concat(Store.List("coordination.k8s.io/v1", "Lease")).Should().BeEmpty();
        Store.Get("v1", "Node", null, "node-1").At("metadata", "annotations").Should().BeNull();
    }

    private async Task<PodOfTest> StartAsync(string name, string ns, string? interfaces, params PortMapping[] ports)
    {
        var pod = Store.Create(Objects.Pod(name, interfaces, ns, labels: new JsonObject { ["app"] = name }));
        return new PodOfTest(ns, name, await runtime.RunAsync(pod, 0, ports));
    }

    private async Task EndAsync(PodOfTest pod)
    {
        await runtime.StopAsync(pod.Sandbox);
        await runtime.RemoveAsync(pod.Sandbox);
        Store.Delete("v1", "Pod", pod.Namespace, pod.Name);
    }

    private async Task<string> CniOfRuntimeAsync() => (await runtime.Channel.Runtime.StatusAsync(new StatusRequest { Verbose = true })).Info["cniconfig"];

    private Task ApplyAsync(string json) => Node.ShellAsync($"KUBECONFIG={Node.Kubeconfig} kubectl create --validate=false -f - <<'OBJECT'\n{json}\nOBJECT");

    private Task KubectlAsync(string arguments) => Node.ShellAsync($"KUBECONFIG={Node.Kubeconfig} kubectl {arguments}");

    private Task<string> FilesAsync() => Node.ShellAsync("cd /etc/cni/net.d; find . -printf '%p %m\\n' | sort; cat *; cd /opt/cni/bin; find . -printf '%p %m %s\\n' | sort");

    private sealed record PodOfTest(string Namespace, string Name, string Sandbox);
}
