using System.Collections.Concurrent;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Ipam.Garbage;

/// <summary>How <see cref="GoneNodeGarbage"/> works.</summary>
public sealed record GoneNodeOptions
{
    /// <summary>How long a Node object must have been absent: 10 minutes, so that one that is deleted and made again loses nothing.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many deletes are under way at once.</summary>
    public int AtOnce { get; init; } = 8;

    /// <summary>How many deletes begin in a second: a rack that is lost must not be a storm.</summary>
    public int DeletesPerSecond { get; init; } = 50;
}

/// <summary>What a pass over gone nodes did.</summary>
/// <param name="Endpoints">DanmEps deleted.</param>
/// <param name="Allocations">IPAllocations deleted.</param>
/// <param name="Failures">What could not be deleted, and why; the next pass tries again.</param>
/// <param name="Nodes">What became of each node that is not simply alive.</param>
public sealed record GoneNodeResult(int Endpoints, int Allocations, IReadOnlyList<string> Failures, IReadOnlyDictionary<string, NodeFate> Nodes)
{
    /// <summary>How many of both were deleted, by node.</summary>
    public IReadOnlyDictionary<string, int> Freed { get; init; } = new Dictionary<string, int>();

    /// <summary>How long until the grace of the next absent node is over; null if there is none.</summary>
    public TimeSpan? NextDue { get; init; }
}

/// <summary>
/// Frees what nodes have left that are gone. Lists are read page by page; memory holds names of nodes only. One instance runs pass after
/// pass: it remembers since when each node has been absent, and a new leader begins to count anew.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="options">How.</param>
/// <param name="clock">The time; null: the system's.</param>
public sealed class GoneNodeGarbage(ApiClient api, GoneNodeOptions? options = null, TimeProvider? clock = null)
{
    private readonly GoneNodeOptions options = options ?? new();
    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly ConcurrentDictionary<string, long> absentSince = [];
    private readonly HashSet<string> warned = [];
    private readonly GarbageEvents events = new(api, "danm-controller");

    /// <summary>Somebody sees that the Node is there: if it goes, its grace begins then. From any thread.</summary>
    public void NotePresent(string nodeName) => absentSince.TryRemove(nodeName, out _);

    /// <summary>Runs a pass: DanmEps first, since a Service must find no address that is somebody else's; then IPAllocations.</summary>
    /// <exception cref="ApiException">A list or a Node cannot be read: nothing more is freed in this pass.</exception>
    public async Task<GoneNodeResult> RunAsync(CancellationToken cancellation)
    {
        var fates = await ListNodesAsync(cancellation).ConfigureAwait(false);
        var failures = new ConcurrentQueue<string>();
        var kept = new ConcurrentDictionary<string, bool>();
        var pace = new Pace(options.DeletesPerSecond, clock);
        var freed = new ConcurrentDictionary<string, int>();
        int endpoints = 0, allocations = 0;
        await foreach (var page in ObjectPages.ReadAsync(api, ResourcePath.Danm(ApiNames.DanmEps, null), null, ApiJson.Default.ObjectListDanmEp, cancellation).ConfigureAwait(false))
        {
            var garbage = await SelectAsync(page, e => e.Metadata, e => e.Spec.NodeName, fates, cancellation).ConfigureAwait(false);
            endpoints += await DeleteAsync(
                garbage,
                e => e.Metadata,
                e => ResourcePath.Danm(ApiNames.DanmEps, e.Metadata.Namespace, e.Metadata.Name),
                pace,
                failures,
                (e, done) => Note(e.Spec.NodeName!, done, () => kept[e.Metadata.Name!] = true),
                cancellation).ConfigureAwait(false);
        }

        await foreach (var page in ObjectPages.ReadAsync(api, ResourcePath.Danm(ApiNames.IPAllocations, null), null, ApiJson.Default.ObjectListIPAllocation, cancellation).ConfigureAwait(false))
        {
            var garbage = await SelectAsync(page, a => a.Metadata, a => a.Spec.NodeName, fates, cancellation).ConfigureAwait(false);
            garbage.RemoveAll(a => kept.ContainsKey(a.Spec.Owner?.DanmEp ?? ""));
            allocations += await DeleteAsync(
                garbage,
                a => a.Metadata,
                a => ResourcePath.Danm(ApiNames.IPAllocations, null, a.Metadata.Name),
                pace,
                failures,
                (a, done) => Note(a.Spec.NodeName!, done, () => { }),
                cancellation).ConfigureAwait(false);
        }

        foreach (var name in absentSince.Keys.Where(n => !fates.ContainsKey(n)))
            absentSince.TryRemove(name, out _);
        warned.RemoveWhere(n => fates.GetValueOrDefault(n) != NodeFate.TaintedButReady);
        return new GoneNodeResult(
            endpoints, allocations, [.. failures], fates.Where(f => f.Value != NodeFate.Alive).ToDictionary())
        {
            Freed = freed,
            NextDue = NextDue(fates),
        };

        void Note(string node, bool isDeleted, Action failed)
        {
            if (isDeleted)
                freed.AddOrUpdate(node, 1, (_, n) => n + 1);
            else
                failed();
        }
    }

    private TimeSpan? NextDue(Dictionary<string, NodeFate> fates)
    {
        TimeSpan? next = null;
        foreach (var name in fates.Where(f => f.Value == NodeFate.Absent).Select(f => f.Key))
        {
            // One that came back during the pass is not waited for.
            if (absentSince.TryGetValue(name, out var since) && options.Grace - clock.GetElapsedTime(since) is var left && (next is null || left < next))
                next = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        return next;
    }

    private async Task<List<T>> SelectAsync<T>(
        IReadOnlyList<T> page, Func<T, ObjectMeta> metadata, Func<T, string?> node, Dictionary<string, NodeFate> fates, CancellationToken cancellation)
    {
        var garbage = new List<T>();
        foreach (var item in page)
        {
            if (ImportedObject.Is(metadata(item)) || node(item) is not { Length: > 0 } name)
                continue;
            if (!fates.TryGetValue(name, out var fate))
                fates[name] = fate = await FateAsync(name, cancellation).ConfigureAwait(false);
            if (fate == NodeFate.Gone)
                garbage.Add(item);
            else if (fate == NodeFate.TaintedButReady && warned.Add(name))
                await WarnAsync(name, cancellation).ConfigureAwait(false);
        }

        return garbage;
    }

    /// <summary>What the list of Nodes decides: which are there. The others are asked for one by one, when an object names them.</summary>
    private async Task<Dictionary<string, NodeFate>> ListNodesAsync(CancellationToken cancellation)
    {
        var fates = new Dictionary<string, NodeFate>();
        await foreach (var page in ObjectPages.ReadAsync(api, ResourcePath.Core("nodes", null), null, ClusterJson.Default.ObjectListNode, cancellation).ConfigureAwait(false))
        {
            foreach (var node in page)
            {
                var name = node.Metadata.Name!;
                NotePresent(name);
                if (GoneNodeRules.Decide(name, node, TimeSpan.Zero, options.Grace) is var fate and not NodeFate.Gone)
                    fates[name] = fate;
            }
        }

        return fates;
    }

    // Right before the first of its objects goes: it may have come since the list.
    private async Task<NodeFate> FateAsync(string name, CancellationToken cancellation)
    {
        // No Node can have such a name: whoever wrote it, it tells nothing.
        if (!Names.IsSubdomain(name))
            return NodeFate.Alive;
        var node = await api.TryGetAsync(ResourcePath.Core("nodes", null, name), ClusterJson.Default.Node, cancellation).ConfigureAwait(false);
        var now = clock.GetTimestamp();
        if (node is not null)
            NotePresent(name);
        return GoneNodeRules.Decide(name, node, node is null ? clock.GetElapsedTime(absentSince.GetOrAdd(name, now), now) : TimeSpan.Zero, options.Grace);
    }

    private Task WarnAsync(string name, CancellationToken cancellation) => events.WarnNodeAsync(
        name, "OutOfServiceButReady",
        $"node {name} is tainted {NodeTaint.OutOfService}, but Ready: danm frees none of its addresses. Remove the taint, or shut the node down", cancellation);

    private async Task<int> DeleteAsync<T>(
        List<T> garbage, Func<T, ObjectMeta> metadata, Func<T, ResourcePath> path, Pace pace, ConcurrentQueue<string> failures, Action<T, bool> note, CancellationToken cancellation)
    {
        var deleted = 0;
        await Parallel.ForEachAsync(garbage, new ParallelOptions { MaxDegreeOfParallelism = options.AtOnce, CancellationToken = cancellation }, async (item, token) =>
        {
            await pace.WaitAsync(token).ConfigureAwait(false);
            try
            {
                if (!await api.DeleteAsync(path(item), metadata(item).Uid, token).ConfigureAwait(false))
                    return;
                Interlocked.Increment(ref deleted);
                note(item, true);
            }
            catch (ApiException e)
            {
                note(item, false);
                failures.Enqueue(e.Message);
            }
        }).ConfigureAwait(false);
        return deleted;
    }
}
