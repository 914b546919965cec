using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Takes back what a record names, in the reverse of ADD's order: interface, DanmEp, address. An address is free only when nothing
/// can send from it. What cannot be taken back now is said, to be deferred.
/// </summary>
internal sealed class SandboxRelease(ApiClient? api)
{
    /// <summary>
    /// How long after an attempt was cut off its creates may still come to be: the API server's request time-out is 60 s.
    /// </summary>
    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(90);

    /// <summary>Why something could not be released, one a line.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>
    /// Removes the record's interfaces by name. A namespace that is gone has none.
    /// </summary>
    /// <exception cref="CniException">An interface stays; then its addresses must stay too.</exception>
    public static void RemoveInterfaces(SandboxRecord record, string? netns)
    {
        if (netns is not { Length: > 0 } || record.Attachments.Count == 0)
            return;
        try
        {
            using var pod = NetworkNamespace.Open(netns);
            using var visit = pod.Visit(VisitSockets.Route);
            foreach (var attachment in record.Attachments)
            {
                // An interface of that name which is none of ours was there before: ADD failed because of it.
                if (visit.Route.GetLink(attachment.Interface) is { Kind: LinkKind.Ipvlan } link)
                    visit.Route.DeleteLink(link.Index);
            }
        }
        catch (NetworkNamespaceException e) when (e.IsGone)
        {
            // The kernel removed the interfaces with their namespace.
        }
        catch (Exception e) when (e is NetlinkException or NetworkNamespaceException)
        {
            throw Errors.From(e, $"interfaces of container {record.ContainerId} cannot be removed, so their addresses stay reserved");
        }
    }

    /// <summary>Deletes the record's API objects; gives the record of what is left, null if nothing is.</summary>
    public async Task<SandboxRecord?> ReleaseAsync(SandboxRecord record, CancellationToken cancellation)
    {
        if (api is null)
            return record.Claims.Count > 0 || record.Search ? record : null;
        var search = false;
        if (record.Search)
        {
            try
            {
                var found = await DanmEpSearch.ByContainerAsync(api, record.PodNamespace, record.ContainerId, cancellation).ConfigureAwait(false);
                record = record with { Claims = [.. record.Claims, .. found.SelectMany(DanmEpSearch.ClaimsOf)], Search = false };
            }
            catch (Exception e) when (e is ApiException or OperationCanceledException)
            {
                Problems.Add(e.Message);
                search = true;
            }
        }

        var left = await ReleaseKindAsync(record, ApiNames.DanmEp, cancellation).ConfigureAwait(false);
        var addresses = await ReleaseKindAsync(record, ApiNames.IPAllocation, cancellation).ConfigureAwait(false);
        left = [.. left, .. addresses];
        return left.Count == 0 && !search ? null : record with { Claims = left, Search = search };
    }

    private async Task<IReadOnlyList<ClaimRecord>> ReleaseKindAsync(SandboxRecord record, string kind, CancellationToken cancellation)
    {
        var claims = record.Claims.Where(c => c.Kind == kind).DistinctBy(c => c.Name).ToList();
        var done = await Task.WhenAll(claims.Select(c => ReleaseAsync(record, c, cancellation))).ConfigureAwait(false);
        return [.. claims.Where((_, i) => !done[i])];
    }

    private async Task<bool> ReleaseAsync(SandboxRecord record, ClaimRecord claim, CancellationToken cancellation)
    {
        var path = PathOf(record, claim);
        try
        {
            if (claim.Uid is { } uid)
            {
                await api!.DeleteAsync(path, uid, cancellation).ConfigureAwait(false);
                return true;
            }

            var (exists, ours) = await LookAsync(record, claim, path, cancellation).ConfigureAwait(false);
            if (ours is not null)
            {
                await api!.DeleteAsync(path, ours, cancellation).ConfigureAwait(false);
                return true;
            }

            // Somebody else's object of that name says that our create was refused, or will be.
            return exists || DateTime.UtcNow - record.Time > MayStillCome;
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            lock (Problems)
                Problems.Add(e.Message);
            return false;
        }
    }

    /// <summary>The object's uid, if it is this sandbox's.</summary>
    private async Task<(bool Exists, string? Ours)> LookAsync(SandboxRecord record, ClaimRecord claim, ResourcePath path, CancellationToken cancellation)
    {
        if (claim.Kind == ApiNames.DanmEp)
        {
            // The name is derived from this very sandbox and interface.
            var ep = await api!.TryGetAsync(path, ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false);
            return (ep is not null, ep?.Metadata.Uid);
        }

        var allocation = await api!.TryGetAsync(path, ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
        var ours = allocation?.Spec.Owner is { } owner
            && (owner.DanmEp == claim.EndpointId || (owner.ContainerId == record.ContainerId && owner.PodUid == record.PodUid));
        return (allocation is not null, ours ? allocation!.Metadata.Uid : null);
    }

    private static ResourcePath PathOf(SandboxRecord record, ClaimRecord claim) => claim.Kind == ApiNames.DanmEp
        ? ResourcePath.Danm(ApiNames.DanmEps, record.PodNamespace, claim.Name)
        : ResourcePath.Danm(ApiNames.IPAllocations, null, claim.Name);
}
