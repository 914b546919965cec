using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>Keeps the annotation <see cref="NetworkStatus.Annotation"/> of this node's Pods; the CNI path would wait for it, and nobody else does.</summary>
internal sealed class PodNetworkStatus
{
    // The interfaces of a Pod come one by one within a moment: one write for all.
    private static readonly TimeSpan Gather = TimeSpan.FromSeconds(1);

    private readonly ApiClient api;
    private readonly NodeState state;
    private readonly Informer<Pod> pods;
    private readonly Informer<DanmEp> endpoints;
    private readonly WorkQueue<ObjectKey> queue;

    /// <param name="api">The API server.</param>
    /// <param name="state">What the node remembers; it knows hardware addresses.</param>
    /// <param name="nodeName">This node.</param>
    /// <param name="endpoints">The node's DanmEps.</param>
    /// <param name="queue">Where the Pods wait.</param>
    /// <param name="failed">Told what could not be read.</param>
    public PodNetworkStatus(ApiClient api, NodeState state, string nodeName, Informer<DanmEp> endpoints, WorkQueue<ObjectKey> queue, Action<string> failed)
    {
        (this.api, this.state, this.endpoints, this.queue) = (api, state, endpoints, queue);
        pods = new Informer<Pod>(
            api,
            ResourcePath.Core("pods", null),
            ApiJson.Default.Pod,
            new InformerOptions { Query = $"&fieldSelector={Uri.EscapeDataString($"spec.nodeName={nodeName}")}", MetadataOnly = true });
        pods.Failed += failed;
        pods.Changed += change =>
        {
            if (change.After is { } pod && AnnotationOf(pod) != AnnotationOf(change.Before))
                queue.AddAfter(ObjectKey.Of(pod), Gather);
        };
        endpoints.Changed += change =>
        {
            if ((change.After ?? change.Before) is { } endpoint)
                queue.AddAfter(new ObjectKey(endpoint.Metadata.Namespace, endpoint.Spec.Pod), Gather);
        };
    }

    /// <summary>Whether the node's Pods are known.</summary>
    public bool IsComplete => pods.State == InformerState.Listed;

    /// <summary>Keeps up with the Pods and writes until it is cancelled.</summary>
    public async Task RunAsync(ILogger log, CancellationToken cancellation)
    {
        var loop = new ReconcileLoop<ObjectKey>(queue, WriteAsync, log);
        await Task.WhenAll(pods.RunAsync(cancellation), loop.RunAsync(cancellation)).ConfigureAwait(false);
    }

    private async Task<Reconciled> WriteAsync(ObjectKey key, CancellationToken cancellation)
    {
        if (pods.Find(key) is not { } pod)
            return Reconciled.Done;
        // Of a Pod whose sandbox was made anew, the former one's DanmEps may still be there.
        var own = endpoints.Items.Where(e => e.Metadata.Namespace == key.Namespace && e.Spec.Pod == key.Name && e.Spec.PodUid == pod.Metadata.Uid)
            .GroupBy(e => e.Spec.Interface.Name).Select(g => g.MaxBy(e => e.Metadata.CreationTimestamp, StringComparer.Ordinal)!).ToList();
        if (NetworkStatus.Update(AnnotationOf(pod), own, MacOf) is not { } status)
            return Reconciled.Done;
        try
        {
            await api.PatchAsync(
                ResourcePath.Core("pods", key.Namespace, key.Name).Status,
                MetadataPatch.Annotate(NetworkStatus.Annotation, status, pod.Metadata.ResourceVersion),
                ClusterJson.Default.MetadataPatch,
                cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return Reconciled.Done;
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Somebody else has changed it: what the watch brings may be on its way still.
            return Reconciled.Retry;
        }

        return Reconciled.Done;

        string? MacOf(DanmEp endpoint) => state.Exists
            ? state.Survey().SelectMany(j => j.Last?.Attachments ?? []).FirstOrDefault(a => a.EndpointId == endpoint.Metadata.Name)?.Mac
            : null;
    }

    private static string? AnnotationOf(Pod? pod) => pod?.Metadata.Annotations?.GetValueOrDefault(NetworkStatus.Annotation);
}
