using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Node;

/// <summary>
/// What an idle netwatcher costs in a large cluster: 1,000 nodes with 50 Pods each, two interfaces a Pod. Its memory, and what it asks the
/// API server for.
/// </summary>
internal static class NodeCostBenchmark
{
    private const int Nodes = 1000, PodsPerNode = 50, InterfacesPerPod = 2, Networks = 200;
    private const double MaxMegabytes = 60;

    private static readonly TimeSpan Starting = TimeSpan.FromSeconds(20);

    public static async Task<(string Markdown, bool MeetsAims)> RunAsync(int seconds)
    {
        await using var node = await PrivateNode.StartAsync();
        Seed(node.Server.Store);
        var text = new StringBuilder();
        text.AppendLine("| idle netwatcher | peak MB | resident MB | requests at start | bytes at start | requests an hour | lists of whole kinds |");
        text.AppendLine("|---|---|---|---|---|---|---|");
        var isWell = true;
        foreach (var flooding in (string[])["multicast", "unicast"])
        {
            var cost = await MeasureAsync(node, flooding, TimeSpan.FromSeconds(seconds));
            isWell &= cost.ResidentMegabytes < MaxMegabytes && cost.WholeLists.Count == 0;
            text.AppendLine(CultureInfo.InvariantCulture, $"| {flooding} | {cost.PeakMegabytes:0.0} | {cost.ResidentMegabytes:0.0} | {cost.StartRequests} | {cost.StartBytes:#,0} | {cost.RequestsPerHour:0} | {(cost.WholeLists.Count == 0 ? "none" : string.Join(", ", cost.WholeLists))} |");
        }

        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Nodes:#,0} nodes, {Nodes * PodsPerNode:#,0} Pods, {Nodes * PodsPerNode * InterfacesPerPod:#,0} DanmEps and IPAllocations, {Networks} networks, simulated in the embedded API server; {seconds} s after the start are scaled to an hour. Aims: under {MaxMegabytes} MB resident, no list of the cluster's Pods, DanmEps or IPAllocations.");
        return (text.ToString(), isWell);
    }

    private static async Task<Cost> MeasureAsync(PrivateNode node, string flooding, TimeSpan time)
    {
        node.Server.Requests.Clear();
        using var process = node.Start([DanmBinary.Path, "netwatcher", "--kubeconfig", node.Kubeconfig, "--node-name", "node-7", "--vxlan-flooding", flooding, "--metrics-bind-address=127.0.0.1:18080", "--health-probe-bind-address=127.0.0.1:18081"]);
        try
        {
            await Task.Delay(Starting);
            var start = node.Server.Requests.All;
            await Task.Delay(time);
            var idle = node.Server.Requests.All.Length - start.Length;
            var status = (await File.ReadAllLinesAsync($"/proc/{process.Id}/status")).Select(l => l.Split(':', 2)).ToDictionary(l => l[0], l => l[1].Trim());
            return new Cost(
                Megabytes("VmHWM"),
                Megabytes("VmRSS"),
                start.Length,
                start.Sum(r => r.ResponseBytes),
                idle * 3600 / time.TotalSeconds,
                [.. node.Server.Requests.All.Where(IsOfWholeCluster).Select(r => $"{r.Verb} {r.Resource}").Distinct()]);

            double Megabytes(string name) => double.Parse(status[name].Split(' ')[0], CultureInfo.InvariantCulture) * 1024 / 1e6;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static bool IsOfWholeCluster(RequestRecord request) =>
        request.Verb is "list" or "watch" && request.Resource is "pods" or "danmeps" or "ipallocations"
        && !request.Query.Contains("labelSelector", StringComparison.Ordinal) && !request.Query.Contains("fieldSelector", StringComparison.Ordinal);

    private static void Seed(ApiStore store)
    {
        for (var n = 0; n < Networks; n++)
            store.Create(Objects.Network("ClusterNetwork", $"net-{n}", $$$"""{"NetworkID":"n{{{n}}}","NetworkType":"macvlan","Options":{"host_device":"ens{{{n % 4}}}","vlan":{{{100 + n}}},"cidr":"10.{{{n}}}.0.0/16"}}"""));
        store.Load("v1", "Node", Enumerable.Range(0, Nodes).Select(n => Annotated(Objects.Node($"node-{n}"), $$"""{"ens4":"192.0.{{n / 250}}.{{1 + (n % 250)}}"}""")));
        store.Load("v1", "Pod", Pods().Select(p => Pod(p.Node, p.Pod)));
        store.Load(ApiNames.GroupVersion, ApiNames.DanmEp, Interfaces().Select(i => Endpoint(i.Node, i.Pod, i.Interface)));
        store.Load(ApiNames.GroupVersion, ApiNames.IPAllocation, Interfaces().Select(i => Allocation(i.Node, i.Pod, i.Interface)));
    }

    private static IEnumerable<(int Node, int Pod)> Pods() => Enumerable.Range(0, Nodes * PodsPerNode).Select(p => (p / PodsPerNode, p));

    private static IEnumerable<(int Node, int Pod, int Interface)> Interfaces() => Pods().SelectMany(p => Enumerable.Range(0, InterfacesPerPod).Select(i => (p.Node, p.Pod, i)));

    private static JsonObject Annotated(JsonObject node, string endpoints)
    {
        // A real Node's metadata is of about this size.
        node["metadata"]!["annotations"] = new JsonObject { ["danm.io/tunnel-endpoints"] = endpoints, ["example.org/filler"] = new string('x', 1200) };
        return node;
    }

    private static JsonObject Pod(int node, int pod)
    {
        var o = Objects.Pod($"workload-{pod}", """[{"clusterNetwork":"net-1","ip":"dynamic"},{"clusterNetwork":"net-2","ip":"dynamic"}]""", labels: new JsonObject { ["app"] = "workload", ["pod-template-hash"] = "5d8f7c9b6" });
        o["spec"]!["nodeName"] = $"node-{node}";
        o["spec"]!["containers"]![0]!["args"] = new JsonArray(new string('y', 3000));
        return o;
    }

    private static string Address(int pod, int index) => $"10.{pod % Networks}.{pod / 256 % 256}.{(pod % 128 * InterfacesPerPod) + index}";

    private static JsonObject Endpoint(int node, int pod, int index) => new()
    {
        ["apiVersion"] = ApiNames.GroupVersion, ["kind"] = ApiNames.DanmEp,
        ["metadata"] = new JsonObject
        {
            ["name"] = $"{pod:x8}-0000-8000-8000-{index:x12}", ["namespace"] = "default",
            ["labels"] = new JsonObject { ["app"] = "workload", [ApiNames.NodeLabel] = LabelValue.For($"node-{node}"), [ApiNames.PodUidLabel] = $"uid-{pod}" },
        },
        ["spec"] = new JsonObject
        {
            ["NetworkName"] = $"net-{pod % Networks}", ["NetworkType"] = "macvlan", ["EndpointID"] = $"{pod:x8}-0000-8000-8000-{index:x12}",
            ["Interface"] = new JsonObject { ["Name"] = $"eth{index}", ["Address"] = $"{Address(pod, index)}/16" },
            ["Host"] = $"node-{node}", ["nodeName"] = $"node-{node}", ["Pod"] = $"workload-{pod}", ["PodUID"] = $"uid-{pod}", ["CID"] = $"{pod:x64}",
            ["netns"] = $"/run/netns/cni-{pod}", ["apiType"] = "ClusterNetwork",
        },
    };

    private static JsonObject Allocation(int node, int pod, int index) => new()
    {
        ["apiVersion"] = ApiNames.GroupVersion, ["kind"] = ApiNames.IPAllocation,
        ["metadata"] = new JsonObject
        {
            ["name"] = $"a-{pod}-{index}",
            ["labels"] = new JsonObject { [ApiNames.NodeLabel] = LabelValue.For($"node-{node}"), [ApiNames.PodUidLabel] = $"uid-{pod}" },
        },
        ["spec"] = new JsonObject
        {
            ["network"] = new JsonObject { ["kind"] = "ClusterNetwork", ["name"] = $"net-{pod % Networks}" }, ["address"] = $"{Address(pod, index)}/16",
            ["owner"] = new JsonObject { ["namespace"] = "default", ["pod"] = $"workload-{pod}", ["podUID"] = $"uid-{pod}", ["containerID"] = $"{pod:x64}", ["interface"] = $"eth{index}" },
            ["nodeName"] = $"node-{node}",
        },
    };

    private sealed record Cost(double PeakMegabytes, double ResidentMegabytes, int StartRequests, long StartBytes, double RequestsPerHour, IReadOnlyList<string> WholeLists);
}
