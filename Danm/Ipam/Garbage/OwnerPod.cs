using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Ipam.Garbage;

/// <summary>Whether the Pod that an IPAllocation names as its owner exists.</summary>
public static class OwnerPod
{
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public static async Task<PodSight> LookAsync(ApiClient api, IPAllocation allocation, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(api);
        ArgumentNullException.ThrowIfNull(allocation);
        if (allocation.Spec.Owner is not { PodUid: { Length: > 0 } uid } owner || !Names.IsSubdomain(owner.Namespace) || !Names.IsSubdomain(owner.Pod))
            return PodSight.None;
        var pod = await api.TryGetMetadataAsync(ResourcePath.Core("pods", owner.Namespace, owner.Pod!), ApiJson.Default.Pod, cancellation).ConfigureAwait(false);
        return pod?.Metadata.Uid == uid ? PodSight.Exists : PodSight.Gone;
    }
}
