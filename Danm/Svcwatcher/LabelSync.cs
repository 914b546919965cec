using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.Svcwatcher.Selection;
using Danm.Svcwatcher.View;

namespace Danm.Svcwatcher;

/// <summary>Carries a Pod's labels to its DanmEps, by which Services choose.</summary>
internal sealed class LabelSync(ApiClient api, ClusterView view)
{
    /// <summary>Brings one DanmEp's labels to what its Pod's are.</summary>
    /// <exception cref="ApiException">Refused, or no answer: the key comes back.</exception>
    public async Task<Reconciled> SyncAsync(ObjectKey endpoint, CancellationToken cancellation)
    {
        if (view.Pair(endpoint) is not var (record, pod) || PodLabels.Difference(record, pod) is not { } difference)
            return Reconciled.Done;
        var patch = new MetadataPatch { Metadata = new() { ResourceVersion = record.Metadata.ResourceVersion, Labels = difference } };
        try
        {
            await api.PatchAsync(ResourcePath.Danm(ApiNames.DanmEps, endpoint.Namespace, endpoint.Name), patch, ClusterJson.Default.MetadataPatch, cancellation).ConfigureAwait(false);
            return Reconciled.Done;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return Reconciled.Done;
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Somebody has changed it: the watch will tell.
            return Reconciled.Retry;
        }
    }
}
