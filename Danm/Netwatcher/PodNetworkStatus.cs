using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.State;

namespace Danm.Netwatcher;

/// <summary>Keeps the annotation <see cref="NetworkStatus.Annotation"/> of this node's Pods; the CNI path would wait for it, and nobody else does.</summary>
internal sealed class PodNetworkStatus
{
    // The interfaces of a Pod come one by one within a moment: one write for all.
    private static readonly TimeSpan Gather = TimeSpan.FromSeconds(1);

    private readonly ApiClient api;
    private readonly NodeState state;
    private readonly Informer<PartialObject> pods;
    private readonly Informer<DanmEp> endpoints;

    /// <param name="api">The API server.</param>
    /// <param name="state">What the node remembers; it knows hardware addresses.</param>
    /// <param name="pods">The node's Pods.</param>
    /// <param name="endpoints">The node's DanmEps.</param>
    /// <param name="queue">Where the Pods wait.</param>
    public PodNetworkStatus(ApiClient api, NodeState state, Informer<PartialObject> pods, Informer<DanmEp> endpoints, WorkQueue<ObjectKey> queue)
    {
        (this.api, this.state, this.pods, this.endpoints) = (api, state, pods, endpoints);
        pods.Changed += change =>
        {
            // Its DanmEps may have come before it.
            if (change.After is { } pod && (change.Before is null || AnnotationOf(pod) != AnnotationOf(change.Before)))
                queue.AddAfter(ObjectKey.Of(pod), Gather);
        };
        endpoints.Changed += change =>
        {
            if ((change.After ?? change.Before) is { } endpoint)
                queue.AddAfter(new ObjectKey(endpoint.Metadata.Namespace, endpoint.Spec.Pod), Gather);
        };
    }

    /// <summary>Writes what one Pod's annotation must say.</summary>
    public async Task<Reconciled> WriteAsync(ObjectKey key, CancellationToken cancellation)
    {
        if (pods.Find(key) is not { } pod)
            return Reconciled.Done;
        // Of a Pod whose sandbox was made anew, the former one's DanmEps may still be there.
        var own = endpoints.Items.Where(e => e.Metadata.Namespace == key.Namespace && e.Spec.Pod == key.Name && e.Spec.PodUid == pod.Metadata.Uid)
            .GroupBy(e => e.Spec.Interface.Name).Select(g => g.MaxBy(e => e.Metadata.CreationTimestamp, StringComparer.Ordinal)!).ToList();
        var ids = own.Select(e => e.Metadata.Name).ToHashSet();
        var macs = own.Count == 0 || !state.Exists ? [] : state.Survey().SelectMany(j => j.Last?.Attachments ?? []).Where(a => ids.Contains(a.EndpointId))
            .GroupBy(a => a.EndpointId).ToDictionary(g => g.Key, g => g.Last().Mac);
        if (NetworkStatus.Update(AnnotationOf(pod), own, e => macs.GetValueOrDefault(e.Metadata.Name ?? "")) is not { } status)
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
    }

    private static string? AnnotationOf(PartialObject? pod) => pod?.Metadata.Annotations?.GetValueOrDefault(NetworkStatus.Annotation);
}
