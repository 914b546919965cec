using Danm.Api;
using Danm.Netlink;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>
/// Addresses in the name of a living sandbox that it does not use: a create of its ADD that the API server carried out long after ADD had
/// taken another address. DEL would not find them.
/// </summary>
public static class StrayAllocation
{
    /// <summary>Those of one sandbox.</summary>
    public static IEnumerable<IPAllocation> Of(ObservedSandbox sandbox, NodeView view)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        ArgumentNullException.ThrowIfNull(view);
        if (sandbox.Record is not { Phase: SandboxPhase.Attached } record || !GarbageRules.Lives(sandbox, view.BootId) || view.Now - sandbox.LastSign <= GarbageRules.Grace)
            return [];
        var claimed = record.Claims.Select(c => c.Name).ToHashSet();
        return sandbox.Allocations.Where(a => !ImportedObject.Is(a.Metadata) && !claimed.Contains(a.Metadata.Name ?? "") && IsUnused(record, a));
    }

    // Only where the record says which addresses the interface has, and this is none of them.
    private static bool IsUnused(SandboxRecord record, IPAllocation allocation) =>
        allocation.Spec.Owner is { } owner
        && CidrAddress.TryParse(allocation.Spec.Address ?? "", out var address)
        && record.Attachments.FirstOrDefault(a => owner.DanmEp is { } endpoint ? a.EndpointId == endpoint : a.Interface == owner.Interface) is { Addresses.Count: > 0 } attachment
        && attachment.Addresses.All(a => CidrAddress.TryParse(a, out var used) && !used.Address.Equals(address.Address));
}
