using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Ipam.Garbage;

/// <summary>
/// What looks leaked from afar: IPAllocations whose owner's Pod UID is gone. Only the owner's node can prove more, so nothing is freed.
/// Memory holds the UIDs of Pods and one page of allocations.
/// </summary>
public static class LeakSearch
{
    private const string PodPage = "limit=1000";

    /// <summary>Searches the cluster, or what one node has made.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public static async IAsyncEnumerable<IPAllocation> FindAsync(ApiClient api, string? nodeName, [EnumeratorCancellation] CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(api);
        var known = await PodsAsync(api, cancellation).ConfigureAwait(false);
        var selector = nodeName is null ? null : $"{ApiNames.NodeLabel}={LabelValue.For(nodeName)}";
        await foreach (var page in ObjectPages.ReadAsync(api, ResourcePath.Danm(ApiNames.IPAllocations, null), selector, ApiJson.Default.ObjectListIPAllocation, cancellation).ConfigureAwait(false))
        {
            foreach (var allocation in page)
            {
                if (allocation.Spec.Owner is { PodUid: { Length: > 0 } uid } && !known.Contains(uid)
                    && await OwnerPod.LookAsync(api, allocation, cancellation).ConfigureAwait(false) == PodSight.Gone)
                    yield return allocation;
            }
        }
    }

    private static async Task<HashSet<string>> PodsAsync(ApiClient api, CancellationToken cancellation)
    {
        var uids = new HashSet<string>();
        string? next = null;
        do
        {
            var page = await api.ListMetadataAsync(
                ResourcePath.Core("pods", null), next is null ? PodPage : $"{PodPage}&continue={Uri.EscapeDataString(next)}", ApiJson.Default.ObjectListPod, cancellation).ConfigureAwait(false);
            uids.UnionWith(page.Items.Select(p => p.Metadata.Uid ?? ""));
            next = page.Metadata.Continue;
        }
        while (!string.IsNullOrEmpty(next));
        return uids;
    }
}
