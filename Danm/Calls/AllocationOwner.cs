using Danm.Api;
using Danm.State;

namespace Danm.Calls;

/// <summary>Whose an IPAllocation is.</summary>
internal static class AllocationOwner
{
    /// <summary>
    /// Whether an allocation's owner is what the record says. By its DanmEp, or, where another plugin has the address from us, by
    /// container and interface. The container counts in any case: another sandbox of a Pod of this name may live on, on a node that
    /// nobody reaches.
    /// </summary>
    public static bool Owns(this SandboxRecord record, ClaimRecord claim, IPAllocationOwner owner)
    {
        if ((owner.Namespace ?? "") != record.PodNamespace || (owner.Pod ?? "") != record.PodName)
            return false;
        return owner.DanmEp is { } endpoint
            ? endpoint == claim.EndpointId && (owner.ContainerId is null || owner.ContainerId == record.ContainerId)
            : owner.ContainerId == record.ContainerId && record.Attachments.Any(a => a.EndpointId == claim.EndpointId && a.Interface == owner.Interface);
    }
}
