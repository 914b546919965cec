using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.Calls;

/// <summary>
/// Takes back the API objects that a journal names, DanmEps before addresses: an address is free only when nothing points to it. What
/// cannot be taken back now is written down for a later call on this node.
/// </summary>
/// <param name="api">The API server; null if there is no way to it.</param>
/// <param name="log">The node's log.</param>
/// <param name="patience">How long to wait for an API server that does not answer, before what it should release is written down instead.</param>
/// <param name="found">Takes back what found DanmEps have besides API objects, before those go; null: nothing.</param>
internal sealed class ClaimRelease(
    ApiClient? api, CallLog log, TimeSpan patience, Func<SandboxRecord, IReadOnlyList<DanmEp>, CancellationToken, Task>? found = null)
{
    /// <summary>
    /// How long after an attempt was cut off its creates may still come to be: the API server's request time-out is 60 s.
    /// </summary>
    private const long MayStillComeMilliseconds = 90_000;

    private const int MostAtOnce = 64;

    private readonly List<string> problems = [];

    private enum Outcome
    {
        /// <summary>Gone.</summary>
        Released,

        /// <summary>Absent or gone, but a create of it may be on its way.</summary>
        MayStillCome,

        /// <summary>Nobody knows.</summary>
        Failed,
    }

    /// <summary>Releases everything; what is left stays in the journal, marked.</summary>
    /// <param name="journal">The journal whose last record is released; no interface uses its addresses any more.</param>
    /// <param name="cancellation">Ends the attempt; what it should have released is deferred.</param>
    /// <exception cref="CniException">What is left cannot be written down.</exception>
    public async Task RunAsync(Journal journal, CancellationToken cancellation)
    {
        var record = journal.Last ?? throw new InvalidOperationException("an empty journal names nothing");
        problems.Clear();
        using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        budget.CancelAfter(patience);
        try
        {
            var left = await ReleaseObjectsAsync(journal, record, budget.Token).ConfigureAwait(false);
            if (left.Claims.Count == 0 && !left.Search)
                Forget(journal);
            else
                Defer(journal, left);
        }
        catch (IOException e)
        {
            throw new CniException(
                CniErrorCode.TryAgainLater, $"cannot release container {record.ContainerId} now, nor write that down: {e.Message}", string.Join("; ", problems), e);
        }
    }

    /// <summary>Takes back what an earlier ADD of the same sandbox left; gives what of it may still come.</summary>
    /// <exception cref="CniException">Something is left for certain.</exception>
    public async Task<IReadOnlyList<ClaimRecord>> CleanUpAsync(Journal journal, CancellationToken cancellation)
    {
        var record = journal.Last!;
        var left = await ReleaseObjectsAsync(journal, record, cancellation).ConfigureAwait(false);
        return problems.Count == 0
            ? left.Claims
            : throw new CniException(
                CniErrorCode.TryAgainLater, $"cannot clean up what an earlier ADD of container {record.ContainerId} left", string.Join("; ", problems));
    }

    /// <summary>
    /// Removes the journal of a sandbox of which nothing is left. Where the disk does not let it, what it says is stale but does no
    /// harm: whoever acts on it finds nothing, or another's.
    /// </summary>
    public void Forget(Journal journal)
    {
        try
        {
            journal.Remove();
        }
        catch (IOException e)
        {
            log.Warning("all is released, but the journal stays", ("cause", e.Message));
        }
    }

    private void Defer(Journal journal, SandboxRecord left)
    {
        // Netwatcher tries every few seconds: what has not changed has been said.
        if (journal.Last is { Phase: SandboxPhase.Deferred } last && last.Claims.Count == left.Claims.Count && last.Search == left.Search)
            return;
        foreach (var problem in problems)
            log.Warning("cannot release now", ("cause", problem));
        journal.Defer(left);
        log.Warning("release deferred to the next call on this node", ("objects", string.Join(' ', left.Claims.Select(c => $"{c.Kind}/{c.Name}"))));
    }

    private async Task<SandboxRecord> ReleaseObjectsAsync(Journal journal, SandboxRecord record, CancellationToken cancellation)
    {
        if (api is null)
        {
            problems.Add("there is no way to the API server");
            return record;
        }

        if (record.Search)
            record = await SearchAsync(journal, record, cancellation).ConfigureAwait(false);
        var endpoints = await ReleaseAsync(record, [.. record.Claims.Where(c => c.Kind == ApiNames.DanmEp)], cancellation).ConfigureAwait(false);
        // A Service that still finds a DanmEp would send to whoever got its address.
        var kept = endpoints.Where(e => e.Outcome == Outcome.Failed).Select(e => e.Claim.EndpointId).ToHashSet();
        var allocations = await ReleaseAsync(
            record, [.. record.Claims.Where(c => c.Kind == ApiNames.IPAllocation && !kept.Contains(c.EndpointId))], cancellation).ConfigureAwait(false);
        return record with
        {
            Claims =
            [
                // What comes again has another uid.
                .. endpoints.Concat(allocations).Where(c => c.Outcome != Outcome.Released)
                    .Select(c => c.Outcome == Outcome.MayStillCome ? c.Claim with { Uid = null } : c.Claim),
                .. record.Claims.Where(c => c.Kind == ApiNames.IPAllocation && kept.Contains(c.EndpointId)),
            ],
        };
    }

    // What was found is on the disk before the first of it goes: without the DanmEp, nobody would find its addresses.
    private async Task<SandboxRecord> SearchAsync(Journal journal, SandboxRecord record, CancellationToken cancellation)
    {
        try
        {
            var endpoints = await DanmEpSearch.ByContainerAsync(api!, record.PodNamespace, record.ContainerId, cancellation).ConfigureAwait(false);
            if (found is not null && endpoints.Count > 0)
                await found(record, endpoints, cancellation).ConfigureAwait(false);
            record = record with
            {
                PodName = record.PodName is { Length: > 0 } name ? name : endpoints.FirstOrDefault()?.Spec.Pod ?? "",
                Claims = [.. record.Claims, .. endpoints.SelectMany(DanmEpSearch.ClaimsOf)],
                Search = false,
            };
            journal.Write(record, durable: true);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            record = record with { Search = false };
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            problems.Add(e.Message);
        }

        return record;
    }

    private async Task<(ClaimRecord Claim, Outcome Outcome)[]> ReleaseAsync(SandboxRecord record, IReadOnlyList<ClaimRecord> claims, CancellationToken cancellation)
    {
        // Of DanmEps that name the container, a tenant can make any number.
        var outcomes = new List<Outcome>(claims.Count);
        foreach (var some in claims.Chunk(MostAtOnce))
            outcomes.AddRange(await Task.WhenAll(some.Select(c => ReleaseAsync(record, c, cancellation))).ConfigureAwait(false));
        return [.. claims.Zip(outcomes)];
    }

    private async Task<Outcome> ReleaseAsync(SandboxRecord record, ClaimRecord claim, CancellationToken cancellation)
    {
        var path = claim.Kind == ApiNames.DanmEp
            ? ResourcePath.Danm(ApiNames.DanmEps, record.PodNamespace, claim.Name)
            : ResourcePath.Danm(ApiNames.IPAllocations, null, claim.Name);
        try
        {
            // Without that very object, there may be one that was made again for the same sandbox, by garbage collection or by hand.
            if (claim.Uid is null || !await api!.DeleteAsync(path, claim.Uid, cancellation).ConfigureAwait(false))
            {
                var (exists, uid) = await LookAsync(record, claim, path, cancellation).ConfigureAwait(false);
                // Somebody else's object of that name says that our create was refused, or will be.
                if (uid is null && claim.Uid is null)
                    return exists || CannotComeAnyMore(record) ? Outcome.Released : Outcome.MayStillCome;
                if (uid is not null)
                    await api!.DeleteAsync(path, uid, cancellation).ConfigureAwait(false);
            }

            return claim.MayComeAgain && !CannotComeAnyMore(record) ? Outcome.MayStillCome : Outcome.Released;
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            lock (problems)
                problems.Add(e.Message);
            return Outcome.Failed;
        }
    }

    private static bool CannotComeAnyMore(SandboxRecord record) =>
        record.Phase == SandboxPhase.Deferred
        && (NodeState.IsOfAnotherBoot(record) || NodeState.Uptime - record.DeferredAt > MayStillComeMilliseconds);

    /// <summary>The object's uid, if it is this sandbox's. DanmEps are objects of a tenant's namespace: they are not believed.</summary>
    private async Task<(bool Exists, string? Ours)> LookAsync(SandboxRecord record, ClaimRecord claim, ResourcePath path, CancellationToken cancellation)
    {
        if (claim.Kind == ApiNames.DanmEp)
        {
            // The name is derived from this very sandbox and interface.
            var ep = await api!.TryGetAsync(path, ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false);
            return (ep is not null, ep?.Metadata.Uid);
        }

        var allocation = await api!.TryGetAsync(path, ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
        var ours = allocation?.Spec.Owner is { } owner && record.Owns(claim, owner);
        return (allocation is not null, ours ? allocation!.Metadata.Uid : null);
    }
}
