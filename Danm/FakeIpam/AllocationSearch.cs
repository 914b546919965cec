using Danm.Api;
using Danm.Kube;
using Danm.State;

namespace Danm.FakeIpam;

/// <summary>
/// Finds an interface's addresses by their owner, for when the node's journal cannot be read: all that the Pod, or without one the
/// network, has is listed for it.
/// </summary>
internal static class AllocationSearch
{
    private const int PageSize = 500;

    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    public static async Task<IReadOnlyList<ClaimRecord>> ClaimsOfAsync(ApiClient api, AddressHolder holder, NetworkRef network, CancellationToken cancellation)
    {
        var found = new List<ClaimRecord>();
        var selector = holder.Owner.PodUid is { } uid
            ? $"{ApiNames.PodUidLabel}={LabelValue.For(uid)}"
            : $"{ApiNames.NetworkLabel}={network.ToLabelValue()}";
        string? next = null;
        do
        {
            var page = await api.ListAsync(
                ResourcePath.Danm(ApiNames.IPAllocations, null),
                $"limit={PageSize}&labelSelector={Uri.EscapeDataString(selector)}{(next is null ? "" : $"&continue={Uri.EscapeDataString(next)}")}",
                ApiJson.Default.ObjectListIPAllocation,
                cancellation).ConfigureAwait(false);
            foreach (var item in page.Items)
            {
                // One with a DanmEp is the metaplugin's.
                if (item is { Metadata.Name: { } name, Spec.Owner: { DanmEp: null } owner } && owner.ContainerId == holder.Owner.ContainerId && owner.Interface == holder.Interface)
                    found.Add(new ClaimRecord { Kind = ApiNames.IPAllocation, Name = name, EndpointId = holder.EndpointId, Uid = item.Metadata.Uid });
            }

            next = page.Metadata.Continue;
        }
        while (!string.IsNullOrEmpty(next));
        return found;
    }
}
