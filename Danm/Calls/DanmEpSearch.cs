using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.State;

namespace Danm.Calls;

/// <summary>Finds a sandbox by its DanmEps, for when the node's journal does not know it: a disk that was wiped, or the original's Pods.</summary>
internal static class DanmEpSearch
{
    /// <summary>
    /// The names of a DanmEp's IPAllocations, separated by commas, so that they can be freed when its network is gone.
    /// </summary>
    public const string AllocationsAnnotation = ApiNames.Prefix + "ip-allocations";

    public static Task<List<DanmEp>> ByContainerAsync(ApiClient api, string ns, string containerId, CancellationToken cancellation) =>
        ListAsync(api, ns, $"spec.CID={containerId}", cancellation);

    public static Task<List<DanmEp>> ByPodAsync(ApiClient api, string ns, string podUid, CancellationToken cancellation) =>
        ListAsync(api, ns, $"spec.PodUID={podUid}", cancellation);

    /// <summary>What is to be released for it. Its addresses' names are its own word: one a family, checked against their owner before use.</summary>
    public static IEnumerable<ClaimRecord> ClaimsOf(DanmEp ep)
    {
        var name = ep.Metadata.Name ?? "";
        yield return new ClaimRecord { Kind = ApiNames.DanmEp, Name = name, Uid = ep.Metadata.Uid, EndpointId = name };
        foreach (var allocation in (ep.Metadata.Annotations?.GetValueOrDefault(AllocationsAnnotation) ?? "").Split(',', 3).Take(2))
        {
            if (AllocationName.TryParse(allocation, out _, out _))
                yield return new ClaimRecord { Kind = ApiNames.IPAllocation, Name = allocation, EndpointId = name };
        }
    }

    /// <summary>
    /// A record such as the journal would have had, but for the namespace's path: a DanmEp is a tenant's to write, and must not lead us
    /// into another Pod's.
    /// </summary>
    public static SandboxRecord ToRecord(IReadOnlyList<DanmEp> eps, SandboxRecord known)
    {
        return known with
        {
            Phase = SandboxPhase.Attached,
            PodName = known.PodName is { Length: > 0 } name ? name : eps[0].Spec.Pod,
            Search = false,
            Attachments = [.. eps.Select(ToAttachment)],
            Claims = [.. eps.SelectMany(ClaimsOf)],
        };
    }

    private static AttachmentRecord ToAttachment(DanmEp ep) => new()
    {
        Interface = ep.Spec.Interface.Name,
        Network = ep.Spec.NetworkName,
        EndpointId = ep.Metadata.Name ?? "",
        UnknownDelegate = NetworkTypes.Of(ep.Spec.NetworkType) is var type && type == NetworkTypes.Ipvlan ? null : type,
    };

    private static async Task<List<DanmEp>> ListAsync(ApiClient api, string ns, string selector, CancellationToken cancellation)
    {
        var list = await api.ListAsync(
            ResourcePath.Danm(ApiNames.DanmEps, ns), $"fieldSelector={Uri.EscapeDataString(selector)}", ApiJson.Default.ObjectListDanmEp, cancellation)
            .ConfigureAwait(false);
        // Their names become paths of requests.
        return list.Items.FindAll(e => Names.IsSubdomain(e?.Metadata.Name));
    }
}
