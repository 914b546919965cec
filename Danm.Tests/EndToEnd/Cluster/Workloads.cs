using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Cluster;

/// <summary>
/// DaemonSets and Deployments of a cluster of one node: each has one Pod there (no two of a Deployment may be on one node), which is replaced
/// when its template changes.
/// </summary>
internal sealed class Workloads(ApiStore store, Kubelet kubelet)
{
    private readonly Dictionary<string, (string Pod, JsonNode Template)> pods = [];

    /// <summary>Whose Pods run.</summary>
    public IReadOnlyCollection<string> Names => pods.Keys;

    /// <summary>Brings the Pods to what DaemonSets and Deployments are in the API now, one workload after the other.</summary>
    public async Task SettleAsync()
    {
        var wanted = ((string[])["DaemonSet", "Deployment"]).SelectMany(kind => store.List("apps/v1", kind)).ToDictionary(w => w.At("metadata", "name").String()!);
        foreach (var gone in pods.Keys.Except(wanted.Keys).ToList())
            await StopAsync(gone);
        foreach (var (name, workload) in wanted)
        {
            var template = workload.At("spec", "template")!;
            if (pods.TryGetValue(name, out var known) && JsonNode.DeepEquals(known.Template, template))
                continue;
            if (known.Pod is not null)
                await StopAsync(name);
            await StartAsync(name, workload, template);
        }
    }

    /// <summary>Deletes a workload's Pod; <see cref="SettleAsync"/> makes another.</summary>
    public async Task StopAsync(string name)
    {
        pods.Remove(name, out var known).Should().BeTrue();
        await kubelet.StopAsync(known.Pod);
        store.Delete("v1", "Pod", "kube-system", known.Pod);
    }

    public async Task UntilReadyAsync()
    {
        foreach (var (_, (pod, _)) in pods)
            await kubelet.UntilReadyAsync(pod);
    }

    /// <summary>What the Pods that a PodMonitor selects tell Prometheus.</summary>
    public async Task<IReadOnlyList<string>> MetricsAsync(JsonObject monitor)
    {
        var expression = monitor.At("spec", "selector", "matchExpressions")!.AsArray().Single()!;
        expression["operator"].String().Should().Be("In");
        var port = monitor.At("spec", "podMetricsEndpoints")!.AsArray().Single()!["port"].String()!;
        var pages = new List<string>();
        foreach (var wanted in expression["values"].Strings())
        {
            var selected = pods.Values.Where(p => p.Template.At("metadata", "labels", expression["key"].String()!).String() == wanted).Should().ContainSingle("{0} is selected", wanted).Subject;
            pages.Add(await kubelet.MetricsAsync(selected.Pod, port));
        }

        return pages;
    }

    private async Task StartAsync(string name, JsonObject workload, JsonNode template)
    {
        var spec = (JsonObject)template["spec"]!.DeepClone();
        spec["nodeName"] = kubelet.NodeName;
        var pod = store.Create(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{name}-{Guid.NewGuid().ToString()[..5]}",
                ["namespace"] = workload.At("metadata", "namespace").String(),
                ["labels"] = template.At("metadata", "labels")?.DeepClone(),
            },
            ["spec"] = spec,
        });
        await kubelet.StartAsync(pod);
        pods[name] = (pod.At("metadata", "name").String()!, template.DeepClone());
    }
}
