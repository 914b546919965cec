using Danm.Api;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>
/// An address that a living sandbox uses and that the node's list does not have, or has as another's: somebody deleted its IPAllocation.
/// </summary>
/// <param name="Sandbox">The sandbox.</param>
/// <param name="Claim">The journal's claim.</param>
/// <param name="Attachment">The interface that has the address.</param>
/// <param name="Address">The address with its prefix length.</param>
public sealed record LostAllocation(ObservedSandbox Sandbox, ClaimRecord Claim, AttachmentRecord Attachment, CidrAddress Address)
{
    /// <summary>Those of a node.</summary>
    public static IEnumerable<LostAllocation> Of(NodeView view, IReadOnlySet<string> listed)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(listed);
        var owners = view.Sandboxes.SelectMany(s => s.Allocations).ToLookup(a => a.Metadata.Name ?? "", a => a.Spec.Owner);
        foreach (var sandbox in view.Sandboxes)
        {
            // While ADD is at work, what its journal names may not be there yet.
            if (sandbox.Record is not { Phase: SandboxPhase.Attached } record || !GarbageRules.Lives(sandbox, view.BootId))
                continue;
            foreach (var claim in record.Claims.Where(c => c.Kind == ApiNames.IPAllocation && (!listed.Contains(c.Name) || owners[c.Name].Any(o => IsAnothers(o, sandbox, c)))))
            {
                if (TryFind(record, claim) is { } found)
                    yield return new LostAllocation(sandbox, claim, found.Attachment, found.Address);
            }
        }
    }

    private static bool IsAnothers(IPAllocationOwner? owner, ObservedSandbox sandbox, ClaimRecord claim) =>
        owner?.DanmEp is { } endpoint ? endpoint != claim.EndpointId : owner?.ContainerId != sandbox.ContainerId;

    // A claim whose address no interface has was refused, or given up.
    private static (AttachmentRecord Attachment, CidrAddress Address)? TryFind(SandboxRecord record, ClaimRecord claim)
    {
        if (!AllocationName.TryParse(claim.Name, out var wanted, out _))
            return null;
        foreach (var attachment in record.Attachments.Where(a => a.EndpointId == claim.EndpointId))
        {
            foreach (var text in attachment.Addresses)
            {
                if (CidrAddress.TryParse(text, out var address) && address.Address.Equals(wanted))
                    return (attachment, address);
            }
        }

        return null;
    }

    /// <summary>The owner as ADD wrote it.</summary>
    /// <param name="podUid">metadata.uid of the Pod, which of a static Pod is not the sandbox's identity; null if it belongs to none.</param>
    public IPAllocationOwner Owner(string? podUid) => new()
    {
        Namespace = Sandbox.PodNamespace,
        Pod = Sandbox.PodName,
        PodUid = podUid,
        ContainerId = Sandbox.ContainerId,
        Interface = Attachment.Interface,
        DanmEp = Sandbox.IsAddressHolder ? null : Claim.EndpointId,
    };

    /// <summary>Whether an owner is this sandbox's interface.</summary>
    public bool IsHeldBy(IPAllocationOwner? owner) =>
        owner is not null && owner.ContainerId == Sandbox.ContainerId
        && (Sandbox.IsAddressHolder ? owner.DanmEp is null && owner.Interface == Attachment.Interface : owner.DanmEp == Claim.EndpointId);

    /// <summary>The object as ADD made it.</summary>
    /// <param name="network">The network that gave the address.</param>
    /// <param name="segment">The exact text of the segment.</param>
    /// <param name="podUid">metadata.uid of the Pod; null if it belongs to none.</param>
    /// <param name="nodeName">This node.</param>
    public IPAllocation ToObject(NetworkRef network, Segment segment, string? podUid, string nodeName)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(segment);
        var labels = new Dictionary<string, string>
        {
            [ApiNames.SegmentLabel] = LabelValue.For(segment.Text),
            [ApiNames.NetworkLabel] = network.ToLabelValue(),
            [ApiNames.NodeLabel] = LabelValue.For(nodeName),
        };
        if (podUid is not null)
            labels[ApiNames.PodUidLabel] = LabelValue.For(podUid);
        return new IPAllocation
        {
            Metadata = new ObjectMeta
            {
                Name = Claim.Name,
                Labels = labels,
            },
            Spec = new IPAllocationSpec
            {
                Network = network,
                Address = Address.ToString(),
                Segment = segment.IsHashed ? segment.Text : null,
                Owner = Owner(podUid),
                NodeName = nodeName,
            },
        };
    }
}
