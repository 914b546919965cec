using Danm.Api;
using Danm.Networks;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>A sandbox as its objects tell it, for a node that has lost the journal.</summary>
internal static class UnknownSandbox
{
    /// <summary>
    /// The record that the journal would have had, but for the namespace's path: a DanmEp is a tenant's to write, and must lead nobody into
    /// another Pod's.
    /// </summary>
    public static SandboxRecord RecordOf(ObservedSandbox sandbox) => new()
    {
        Phase = SandboxPhase.Attached,
        PodUid = sandbox.PodUid,
        ContainerId = sandbox.ContainerId,
        PodNamespace = sandbox.PodNamespace ?? "",
        PodName = sandbox.PodName ?? "",
        Attachments = [.. sandbox.Endpoints.Select(ToAttachment)],
        Claims = ClaimsOf(sandbox),
    };

    /// <summary>The objects that the node's list has.</summary>
    public static List<ClaimRecord> ClaimsOf(ObservedSandbox sandbox) =>
    [
        .. sandbox.Endpoints.Select(e => new ClaimRecord { Kind = ApiNames.DanmEp, Name = e.Metadata.Name ?? "", Uid = e.Metadata.Uid, EndpointId = e.Metadata.Name ?? "" }),
        .. sandbox.Allocations.Select(a => new ClaimRecord
        {
            Kind = ApiNames.IPAllocation,
            Name = a.Metadata.Name ?? "",
            Uid = a.Metadata.Uid,
            EndpointId = a.Spec.Owner?.DanmEp ?? "",
        }),
    ];

    private static AttachmentRecord ToAttachment(DanmEp ep) => new()
    {
        Interface = ep.Spec.Interface.Name,
        Network = ep.Spec.NetworkName,
        EndpointId = ep.Metadata.Name ?? "",
        UnknownDelegate = NetworkTypes.Of(ep.Spec.NetworkType) is var type && type == NetworkTypes.Ipvlan ? null : type,
    };
}
