using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>Makes the IPAllocation of an address again that a living sandbox uses, or says who else holds it.</summary>
internal sealed class AllocationRestorer(ApiClient api, NodeObserver observer, GarbageEvents events, string nodeName)
{
    /// <summary>Under the sandbox's lock: no DEL can be at work.</summary>
    /// <returns>Null if nothing is wrong: the object is there, only not in the node's list.</returns>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    /// <exception cref="IOException">The journal cannot be written, so nothing may be created.</exception>
    public async Task<Finding?> RestoreAsync(Journal journal, LostAllocation lost, bool dryRun, CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.IPAllocations, null, lost.Claim.Name);
        if (await api.TryGetAsync(path, ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false) is { } present)
            return await JudgeAsync(lost, present, dryRun, cancellation).ConfigureAwait(false);
        if (await NetworkAsync(lost, cancellation).ConfigureAwait(false) is not var (network, segment))
            return Say(FindingKind.Failed, lost, $"its IPAllocation is missing, and {lost.Attachment.Network}, which tells its segment, is gone or another one now");
        if (dryRun)
            return Say(FindingKind.Restored, lost, "its sandbox lives and uses the address, but its IPAllocation was deleted");
        var podUid = await PodUidAsync(lost.Sandbox, cancellation).ConfigureAwait(false);
        // The old uid would keep DEL from the new object.
        Note(journal, lost.Claim, uid: null, mayComeAgain: true, durable: true);
        try
        {
            var made = await api.CreateAsync(
                ResourcePath.Danm(ApiNames.IPAllocations, null), lost.ToObject(network, segment, podUid, nodeName), ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
            Note(journal, lost.Claim, made.Object.Metadata.Uid, made.MayComeAgain, durable: false);
            return Say(FindingKind.Restored, lost, "its sandbox lives and uses the address, but its IPAllocation was deleted");
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var holder = await api.TryGetAsync(path, ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
            return holder is null
                ? Say(FindingKind.Waiting, lost, "its IPAllocation comes and goes")
                : await JudgeAsync(lost, holder, dryRun: false, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<Finding?> JudgeAsync(LostAllocation lost, IPAllocation present, bool dryRun, CancellationToken cancellation)
    {
        if (lost.IsHeldBy(present.Spec.Owner))
            return null;
        var sandbox = lost.Sandbox;
        var message = $"address {lost.Address.Address} of {lost.Attachment.Network} is used twice: by {Who(lost.Owner(sandbox.PodUid), nodeName)}, which lives, and by {Who(present.Spec.Owner, present.Spec.NodeName)}, which holds IPAllocation {lost.Claim.Name}: restart one of them";
        if (!dryRun && sandbox is { PodNamespace: { } ns, PodName: { } pod })
            await events.WarnPodAsync(ns, pod, await observer.PodUidAsync(sandbox, cancellation).ConfigureAwait(false), nodeName, "AddressConflict", message, cancellation).ConfigureAwait(false);

        return Say(FindingKind.Conflict, lost, message);
    }

    private static string Who(IPAllocationOwner? owner, string? node) => owner switch
    {
        null => "nobody that it names",
        { Pod: { } pod } => $"Pod {owner.Namespace}/{pod} (uid {owner.PodUid}, interface {owner.Interface}, node {node ?? "unknown"})",
        _ => $"container {owner.ContainerId} (interface {owner.Interface}, node {node ?? "unknown"})",
    };

    // As ADD wrote it: for another plugin, what the runtime said, or nothing.
    private async Task<string?> PodUidAsync(ObservedSandbox sandbox, CancellationToken cancellation) => sandbox switch
    {
        { IsAddressHolder: false } => await observer.PodUidAsync(sandbox, cancellation).ConfigureAwait(false),
        { PodName: not null, PodUid.Length: > 0 } => sandbox.PodUid,
        _ => null,
    };

    private static Finding Say(FindingKind kind, LostAllocation lost, string reason) => Finding.Of(kind, lost.Sandbox, reason) with { Allocations = [lost.Claim.Name] };

    private static void Note(Journal journal, ClaimRecord claim, string? uid, bool mayComeAgain, bool durable)
    {
        var record = journal.Last!;
        journal.Write(
            record with { Claims = [.. record.Claims.Select(c => c.Kind == claim.Kind && c.Name == claim.Name ? c with { Uid = uid, MayComeAgain = mayComeAgain } : c)] },
            durable);
    }

    /// <summary>Network and segment; null where they cannot be known any more.</summary>
    private async Task<(NetworkRef Network, Segment Segment)?> NetworkAsync(LostAllocation lost, CancellationToken cancellation)
    {
        if (Parse(lost.Attachment.Network) is not { } network || !AllocationName.TryParse(lost.Claim.Name, out _, out var segmentName))
            return null;
        // A plain segment is its own name; of a hashed one, only the network has the text.
        if (!segmentName.StartsWith("hash.", StringComparison.Ordinal))
            return (network, new Segment(segmentName, segmentName));
        try
        {
            var found = await api.TryGetAsync(ResourcePath.Of(network), ApiJson.Default.Network, cancellation).ConfigureAwait(false);
            return found is not null && Segment.Of(found) is var segment && segment.Name == segmentName ? (network, segment) : null;
        }
        catch (NetworkFaultException)
        {
            return null;
        }
    }

    private static NetworkRef? Parse(string text) => text.Split('/') switch
    {
        [ApiNames.ClusterNetwork, { Length: > 0 } name] => new NetworkRef(NetworkKind.ClusterNetwork, null, name),
        [var kind and (ApiNames.DanmNet or ApiNames.TenantNetwork), { Length: > 0 } ns, { Length: > 0 } name] when NetworkKinds.TryParse(kind, out var parsed) => new NetworkRef(parsed, ns, name),
        _ => null,
    };
}
