using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>
/// One pass over a node: frees what <see cref="GarbageRules"/> find dead, makes again what living sandboxes miss, and tells the rest.
/// Repeatable at any moment and from several processes: whatever is acted on is locked, looked at again, and deleted by its uid.
/// </summary>
public sealed class NodeGarbage
{
    private readonly ApiClient api;
    private readonly NodeState state;
    private readonly string nodeName;
    private readonly ISandboxRelease release;
    private readonly GarbageEvents events;
    private readonly Func<NodeObserver> observe;

    /// <param name="api">The API server.</param>
    /// <param name="state">What the node remembers.</param>
    /// <param name="nodeName">The node's name in Kubernetes.</param>
    /// <param name="release">How a dead sandbox is released.</param>
    /// <param name="namespaces">Where network namespaces are looked for; null: where the host's first process sees them.</param>
    /// <param name="clock">The time; null: the system's.</param>
    public NodeGarbage(ApiClient api, NodeState state, string nodeName, ISandboxRelease release, HostNamespaces? namespaces = null, TimeProvider? clock = null)
    {
        (this.api, this.state, this.nodeName, this.release) = (api, state, nodeName, release);
        events = new GarbageEvents(api, "danm");
        observe = () => new NodeObserver(api, state, namespaces ?? new HostNamespaces(), nodeName, clock ?? TimeProvider.System);
    }

    /// <summary>
    /// Whether the network namespace of a sandbox has been seen where they are looked for: only then is one that is not there gone. Of a
    /// drained node's last sandboxes no other one tells it; whoever looks between passes may.
    /// </summary>
    public bool HasSeenNamespaces { get; set; }

    /// <summary>Runs the pass.</summary>
    /// <param name="dryRun">Whether only to tell; locks are taken all the same, to tell what a call is at work for.</param>
    /// <param name="cancellation">Ends it; what was not come to stays for the next one.</param>
    /// <returns>What was found or done; what lives is left out.</returns>
    /// <exception cref="ApiException">The node's objects cannot be listed.</exception>
    public async Task<IReadOnlyList<Finding>> RunAsync(bool dryRun, CancellationToken cancellation)
    {
        var observer = observe();
        var view = await observer.ObserveAsync(cancellation).ConfigureAwait(false) with { HasSeenNamespaces = HasSeenNamespaces };
        HasSeenNamespaces |= view.Sandboxes.Any(s => GarbageRules.Lives(s, view.BootId));
        var findings = new List<Finding>();
        foreach (var verdict in GarbageRules.Decide(view))
        {
            if (await ActAsync(verdict, dryRun, cancellation).ConfigureAwait(false) is { } finding)
                findings.Add(finding);
        }

        foreach (var sandbox in view.Sandboxes)
        {
            foreach (var stray in StrayAllocation.Of(sandbox, view))
                findings.Add(await FreeStrayAsync(sandbox, stray, dryRun, cancellation).ConfigureAwait(false));
        }

        var restorer = new AllocationRestorer(api, observer, events, nodeName);
        var listed = view.Sandboxes.SelectMany(s => s.Allocations).Select(a => a.Metadata.Name ?? "").ToHashSet();
        foreach (var lost in LostAllocation.Of(view, listed).GroupBy(l => l.Sandbox, ReferenceEqualityComparer.Instance))
            findings.AddRange(await RestoreAsync(restorer, [.. lost], dryRun, cancellation).ConfigureAwait(false));

        if (!dryRun && findings.Find(f => f.Kind == FindingKind.WrongMount) is { } wrong)
            await events.WarnNodeAsync(nodeName, "NetworkNamespacesNotSeen", $"danm frees no address on this node: {wrong.Reason}", cancellation).ConfigureAwait(false);
        return findings;
    }

    private async Task<Finding?> ActAsync(Verdict verdict, bool dryRun, CancellationToken cancellation) => verdict.Outcome switch
    {
        Outcome.Free when verdict.Sandbox.Journal is null => await FreeUnknownAsync(verdict, dryRun, cancellation).ConfigureAwait(false),
        Outcome.Free => await LockedAsync(verdict.Sandbox, j => FreeAsync(j, verdict, dryRun, cancellation), cancellation).ConfigureAwait(false),
        Outcome.Wait => Finding.Of(FindingKind.Waiting, verdict.Sandbox, verdict.Reason),
        Outcome.Suspect => Finding.Of(FindingKind.Suspect, verdict.Sandbox, verdict.Reason),
        Outcome.WrongMount => Finding.Of(FindingKind.WrongMount, verdict.Sandbox, verdict.Reason),
        _ => null,
    };

    private NodeState FolderOf(ObservedSandbox sandbox) => sandbox.IsAddressHolder ? state.Addresses : state;

    /// <summary>Does something under a sandbox's lock, if what was seen of it still holds.</summary>
    private async Task<Finding?> LockedAsync(ObservedSandbox sandbox, Func<Journal, Task<Finding?>> action, CancellationToken cancellation)
    {
        try
        {
            var (folder, sight) = (FolderOf(sandbox), sandbox.Journal!);
            var found = await folder.FindAsync((u, c) => u == sight.PodUid && c == sight.ContainerId, TimeSpan.Zero, cancellation).ConfigureAwait(false);
            using var journal = found.FirstOrDefault();
            if (journal is null)
                return folder.LastWriteOf(sight.Key) is null ? null : Finding.Of(FindingKind.Busy, sandbox, "a call of the runtime is at work for it");
            // Whoever had the lock since has written, or removed the file.
            return folder.LastWriteOf(sight.Key) == sight.Written
                ? await action(journal).ConfigureAwait(false)
                : Finding.Of(FindingKind.Busy, sandbox, "a call of the runtime has just been at work for it");
        }
        catch (Exception e) when (e is IOException or CniException or ApiException)
        {
            return Finding.Of(FindingKind.Failed, sandbox, e.Message);
        }
    }

    private async Task<Finding?> FreeAsync(Journal journal, Verdict verdict, bool dryRun, CancellationToken cancellation)
    {
        var sandbox = verdict.Sandbox;
        if (dryRun)
            return Finding.Of(FindingKind.Freed, sandbox, verdict.Reason);
        var record = journal.Last ?? UnknownSandbox.RecordOf(sandbox);
        if (record.Claims.Count == 0 && UnknownSandbox.ClaimsOf(sandbox).Count == 0 && !record.Search && record.Attachments.Count == 0)
        {
            journal.Remove();
            return Finding.Of(FindingKind.Freed, sandbox, verdict.Reason);
        }

        var endpoints = journal.Last is null ? sandbox.Endpoints : [];
        // What the journal has lost to a torn line goes with the rest.
        var more = UnknownSandbox.ClaimsOf(sandbox).FindAll(c => record.Claims.All(known => known.Kind != c.Kind || known.Name != c.Name));
        if (journal.Last is null || more.Count > 0)
            journal.Write(record with { Claims = [.. record.Claims, .. more] }, durable: true);
        return await ReleaseAsync(journal, verdict, sandbox.Journal!.Key, endpoints, cancellation).ConfigureAwait(false);
    }

    // Without a journal, DanmEps tell what there was: they get one first, so that a pass that is cut off leaves nothing that nobody knows.
    private async Task<Finding?> FreeUnknownAsync(Verdict verdict, bool dryRun, CancellationToken cancellation)
    {
        var sandbox = verdict.Sandbox;
        if (!CniNames.IsName(sandbox.ContainerId) || !CniNames.IsUid(sandbox.PodUid))
            return Finding.Of(FindingKind.Suspect, sandbox, "its objects name a container or a Pod by what no runtime and no API server gives");
        if (dryRun)
            return Finding.Of(FindingKind.Freed, sandbox, verdict.Reason);
        try
        {
            using var journal = await state.CreateAsync(sandbox.PodUid, sandbox.ContainerId, TimeSpan.Zero, cancellation).ConfigureAwait(false);
            if (journal.Last is not null)
                return Finding.Of(FindingKind.Busy, sandbox, "a call of the runtime has just been at work for it");
            journal.Write(UnknownSandbox.RecordOf(sandbox), durable: true);
            return await ReleaseAsync(journal, verdict, SandboxRecord.KeyOf(sandbox.PodUid, sandbox.ContainerId), sandbox.Endpoints, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or CniException or ApiException)
        {
            return Finding.Of(FindingKind.Failed, sandbox, e.Message);
        }
    }

    private async Task<Finding> ReleaseAsync(Journal journal, Verdict verdict, string key, IReadOnlyList<DanmEp> endpoints, CancellationToken cancellation)
    {
        await release.ReleaseAsync(journal, endpoints, cancellation).ConfigureAwait(false);
        return FolderOf(verdict.Sandbox).LastWriteOf(key) is null
            ? Finding.Of(FindingKind.Freed, verdict.Sandbox, verdict.Reason)
            : Finding.Of(FindingKind.Waiting, verdict.Sandbox, "some of it could not be released now, or may still come: a later call or pass releases the rest");
    }

    // All of a sandbox under one lock: the first that is made again changes the journal, and what was seen of it holds no more.
    private async Task<List<Finding>> RestoreAsync(AllocationRestorer restorer, List<LostAllocation> lost, bool dryRun, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        var refusal = await LockedAsync(lost[0].Sandbox, async journal =>
        {
            foreach (var one in lost)
            {
                try
                {
                    if (await restorer.RestoreAsync(journal, one, dryRun, cancellation).ConfigureAwait(false) is { } finding)
                        findings.Add(finding);
                }
                catch (ApiException e) when (!e.IsTransient)
                {
                    // The next may be another network's, whose address the API server gives. While it does not answer, no call shall wait for the lock.
                    findings.Add(Finding.Of(FindingKind.Failed, one.Sandbox, e.Message));
                }
            }

            return null;
        }, cancellation).ConfigureAwait(false);
        if (refusal is not null)
            findings.Add(refusal);
        return findings;
    }

    private async Task<Finding> FreeStrayAsync(ObservedSandbox sandbox, IPAllocation stray, bool dryRun, CancellationToken cancellation)
    {
        var name = stray.Metadata.Name!;
        var finding = await LockedAsync(sandbox, async _ =>
        {
            if (!dryRun)
                await api.DeleteAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, name), stray.Metadata.Uid, cancellation).ConfigureAwait(false);
            return Finding.Of(FindingKind.Freed, sandbox, "its sandbox lives and uses another address") with { Allocations = [name] };
        }, cancellation).ConfigureAwait(false);
        return finding ?? Finding.Of(FindingKind.Waiting, sandbox, "its sandbox has just gone") with { Allocations = [name] };
    }
}
