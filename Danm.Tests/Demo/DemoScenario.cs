using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Demo;

/// <summary>The demo's steps, in order.</summary>
internal sealed class DemoScenario(DemoConsole console) : IAsyncDisposable
{
    private const string ParentDevice = "parent0";

    private readonly List<DemoPod> pods = [];
    private DemoNode node = null!;
    private EmbeddedApiServer server = null!;
    private JsonObject config = null!;

    public async Task RunAsync()
    {
        console.Title("A node and a cluster");
        node = await console.DoAsync("Find a kernel", DemoNode.StartAsync, n => n.Kernel);
        console.Say(node.Why);
        server = await console.DoAsync("Start an API server with Danm's CRDs", StartServerAsync, s => $"{s.Store.Count("apiextensions.k8s.io/v1", "CustomResourceDefinition")} kinds of danm.io/v1");
        await console.DoAsync("Create networks, Pods and their network namespaces", CreateAsync);
        console.Show(DemoTables.Networks(Networks()));
        console.Show(DemoTables.Requests(server.Store.List("v1", "Pod")));

        console.Title("CNI ADD: what a runtime calls when a Pod starts");
        await console.DoAsync($"danm ADD for {pods.Count} Pods at once", () => EachAsync(p => p.AddAsync(node, config)));
        await console.DoAsync("danm CHECK", () => EachAsync(p => p.CheckAsync(node, config)));
        foreach (var pod in pods)
        {
            var links = await console.DoAsync($"Look into Pod {pod.Name}", () => PodLink.ReadAsync(node, pod.NetnsName), l => $"{l.Count} interfaces");
            console.Show(DemoTables.Interfaces(pod, links));
            Expect(links, pod);
        }

        console.Title("Pod to Pod");
        var pings = await console.DoAsync("Ping", PingAsync, p => $"{p.Count} ways");
        console.Show(DemoTables.Pings(pings));

        console.Title("What the API server knows");
        console.Show(DemoTables.Allocations(server.Store.List("danm.io/v1", "IPAllocation")));

        console.Title("CNI DEL: the Pods stop");
        await console.DoAsync($"danm DEL for {pods.Count} Pods at once", () => EachAsync(p => p.DelAsync(node, config)));
        var left = await console.DoAsync("Look for what is left", LeftoversAsync);
        console.Show(DemoTables.Leftovers(left));
        if (left.Any(l => l.Count > 0))
            throw new DemoException($"left behind: {string.Join(", ", left.Where(l => l.Count > 0).Select(l => $"{l.Count} {l.What}"))}");
        console.Say("The VLAN interface radio.500 stays: it belongs to the network, not to a Pod.");
    }

    public async ValueTask DisposeAsync()
    {
        if (node is not null)
            await node.DisposeAsync();
        if (server is not null)
            await server.DisposeAsync();
    }

    private async Task<EmbeddedApiServer> StartServerAsync()
    {
        var (descriptor, port) = node.Listen();
        var started = await EmbeddedApiServer.StartAsync(new ApiServerOptions
        {
            Manifests = [Path.Combine(DanmBinary.Repository, "manifests", "crds")],
            ListenHandles = [descriptor],
            Hosts = [node.ServerAddress.ToString()],
        });
        var kubeconfig = Path.Combine(node.SharedDirectory, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, started.Kubeconfig(new KubeconfigOptions { Host = node.ServerAddress.ToString(), Port = port }));
        config = new JsonObject
        {
            ["cniVersion"] = "1.0.0",
            ["name"] = "danm_meta_cni",
            ["type"] = "danm",
            ["kubeconfig"] = kubeconfig,
            ["logFile"] = Path.Combine(node.SharedDirectory, "danm.log"),
            ["timeoutSeconds"] = 60,
        };
        return started;
    }

    private async Task<bool> CreateAsync()
    {
        await node.ExpectAsync($"ip link add {ParentDevice} type dummy && ip link set {ParentDevice} up && ip address add 198.51.100.1/24 dev {ParentDevice}");
        foreach (var document in Manifests.Read(Path.Combine(AppContext.BaseDirectory, "Demo", "demo.yaml")))
        {
            var created = server.Store.Create(document);
            if ((string?)created["kind"] == "Pod")
                pods.Add(DemoPod.Of(created));
        }

        foreach (var pod in pods)
            await node.ExpectAsync($"ip netns add {pod.NetnsName}");
        return true;
    }

    private IEnumerable<JsonObject> Networks() =>
        ((string[])["DanmNet", "TenantNetwork", "ClusterNetwork"]).SelectMany(kind => server.Store.List("danm.io/v1", kind));

    private async Task<bool> EachAsync(Func<DemoPod, Task> call)
    {
        await Task.WhenAll(pods.Select(call));
        return true;
    }

    /// <summary>CHECK has compared kernel and result; this looks at the kernel from outside of Danm.</summary>
    private static void Expect(IReadOnlyList<PodLink> links, DemoPod pod)
    {
        var first = links.SingleOrDefault(l => l.Name == "eth0");
        var second = links.SingleOrDefault(l => l.Name == "radio1");
        if (first is not { Parent: ParentDevice, Addresses.Count: 2, Routes.Count: 4 })
            throw new DemoException($"eth0 of Pod {pod.Name} is not on {ParentDevice} with an IPv4 and an IPv6 address and the network's routes");
        if (second is not { Parent: "radio.500", Addresses: [var address] , Policies: [var policy] }
            || !address.StartsWith("10.20.0.1", StringComparison.Ordinal)
            || policy.Rule != $"from {address.Split('/')[0]} to table 100" || policy.Routes is not ["10.200.0.0/16 via 10.20.0.1"])
            throw new DemoException($"radio1 of Pod {pod.Name} is not on radio.500 with its static address and policy route");
    }

    private async Task<IReadOnlyList<Ping>> PingAsync()
    {
        var pings = new List<Ping>();
        foreach (var (interfaceName, ipv6) in ((string, bool)[])[("eth0", false), ("eth0", true), ("radio1", false)])
        {
            var target = pods[1].Address(interfaceName, ipv6) ?? throw new DemoException($"Pod {pods[1].Name} has no such address on {interfaceName}");
            pings.Add(await Ping.SendAsync(node, pods[0], pods[1], interfaceName, target));
        }

        return pings;
    }

    private async Task<IReadOnlyList<Leftover>> LeftoversAsync() =>
    [
        new("IPAllocation objects", server.Store.Count("danm.io/v1", "IPAllocation")),
        new("DanmEp objects", server.Store.Count("danm.io/v1", "DanmEp")),
        new("interfaces in the Pods", await LinesAsync($"for n in {string.Join(' ', pods.Select(p => p.NetnsName))}; do ip -n $n -o link show type ipvlan; done")),
        new("interfaces on their way, on the node", await LinesAsync("ip -o link show type ipvlan")),
        new("policy rules in the Pods", await LinesAsync($"for n in {string.Join(' ', pods.Select(p => p.NetnsName))}; do ip -n $n rule; done | grep 'from 10[.]' || true")),
        new("entries in the node's journal", await LinesAsync("cat /var/lib/cni/danm/sandboxes/* /var/lib/cni/danm/deferred/* 2>/dev/null || true")),
    ];

    private async Task<int> LinesAsync(string script) =>
        (await node.ExpectAsync(script)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
}

/// <summary>What a Pod should not leave behind, and how many there are.</summary>
internal sealed record Leftover(string What, int Count);
