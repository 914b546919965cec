using System.Runtime.CompilerServices;
using Danm.Cni;

namespace Danm.Doctor.Cluster;

/// <summary>Whether each component runs, all of it, and of one build.</summary>
internal sealed class WorkloadCheck(ClusterView cluster) : ICheck
{
    /// <inheritdoc/>
    public string Id => "cluster-workloads";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var images = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var wrong = false;
        foreach (var component in Component.All)
        {
            var wanted = component.Workload;
            if (await cluster.TryGetAsync(Component.PathOf(wanted), cancellation).ConfigureAwait(false) is not { } live)
            {
                wrong |= component.IsNeeded;
                yield return component.IsNeeded
                    ? Finding.Failed($"there is no {wanted}: {component.Without}", component.Apply)
                    : Finding.Info($"there is no {wanted}: {component.Without}", $"if you want that: {component.Apply}");
                continue;
            }

            foreach (var container in live["spec"]["template"]["spec"]["containers"].Items)
                images.TryAdd(container["image"].Text, wanted.Name);
            if (FaultOf(live) is { } finding)
            {
                wrong = true;
                yield return finding;
            }
        }

        if (images.Count > 1)
            yield return Finding.Warning($"the components are of different images: {string.Join(", ", images.Select(i => $"{i.Value} of {CniText.Quote(i.Key)}"))}", "wait for the upgrade's end, or apply one build's manifests to all");
        if (!wrong)
            yield return Finding.Ok(images.Count == 1 ? $"all that is installed runs, of image {CniText.Quote(images.Keys.Single())}" : "all that is installed runs");
    }

    /// <summary>What is wrong with a live DaemonSet or Deployment; null if nothing is.</summary>
    internal static Finding? FaultOf(Document live)
    {
        var status = live["status"];
        var isSet = live["kind"].Text == "DaemonSet" || status["desiredNumberScheduled"].Exists;
        var wanted = isSet ? status["desiredNumberScheduled"].Number : live["spec"]["replicas"].Exists ? live["spec"]["replicas"].Number : 1;
        var ready = isSet ? status["numberReady"].Number : status["readyReplicas"].Number;
        var updated = isSet ? status["updatedNumberScheduled"].Number : status["updatedReplicas"].Number;
        var what = $"{(isSet ? "DaemonSet" : "Deployment")} {live.Namespace}/{live.Name}";
        var look = $"kubectl describe pods -n {live.Namespace} of it says why, and kubectl logs";
        return wanted == 0 ? Finding.Failed($"{what} has no Pod to run", isSet ? "does its nodeSelector fit any node?" : "kubectl scale it")
            : ready == 0 ? Finding.Failed($"of {what} no Pod is ready, of {wanted}", look)
            : ready < wanted ? Finding.Warning($"of {what} {ready} of {wanted} Pods are ready", look)
            : updated < wanted ? Finding.Info($"{what} is being updated: {updated} of {wanted} Pods are new", "wait: kubectl rollout status")
            : null;
    }
}
