using System.Diagnostics;
using Danm.Api;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Microsoft.Extensions.Logging;

namespace Danm.Controller;

/// <summary>
/// Decides when a pass of <see cref="GoneNodeGarbage"/> is worth its lists of all DanmEps and IPAllocations: at the start, when a Node goes or
/// is tainted, when a grace ends, and now and then. A pass takes a tenth of the time at most, however many nodes go.
/// </summary>
internal sealed class GoneNodeLoop
{
    private const string Key = "nodes";

    // Nodes that go together are seen together.
    private static readonly TimeSpan Gather = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Again = TimeSpan.FromMinutes(30), AfterFailure = TimeSpan.FromMinutes(1);

    private readonly GoneNodeGarbage garbage;
    private readonly GoneNodeOptions options;
    private readonly GoneNodeMetrics metrics;
    private readonly ILogger log;
    private readonly Informer<Node> nodes;
    private readonly WorkQueue<string> queue;
    private readonly ReconcileLoop<string> loop;
    private IReadOnlyDictionary<string, NodeFate> told = new Dictionary<string, NodeFate>();
    private TimeSpan rest;
    private bool hasBegun;

    public GoneNodeLoop(ApiClient api, GoneNodeOptions options, WorkQueue<string> queue, GoneNodeMetrics metrics, Action<string> failed, ILogger log)
    {
        (this.options, this.queue, this.metrics, this.log) = (options, queue, metrics, log);
        garbage = new GoneNodeGarbage(api, options);
        nodes = new Informer<Node>(api, ResourcePath.Core("nodes", null), ClusterJson.Default.Node, new InformerOptions());
        nodes.Changed += Hear;
        nodes.Failed += failed;
        loop = new ReconcileLoop<string>(queue, PassAsync, log);
    }

    /// <summary>Runs until it is cancelled; no failure ends it.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(nodes.RunAsync(cancellation), loop.RunAsync(cancellation));

    private void Hear(ObjectChange<Node> change)
    {
        // One that comes back and goes again must be absent for the whole grace anew, be there a pass in between or not.
        if (change.After is { } present)
            garbage.NotePresent(present.Metadata.Name ?? "");
        if (IsNews(change))
            queue.AddAfter(Key, rest > Gather ? rest : Gather);
    }

    private bool IsNews(ObjectChange<Node> change)
    {
        if (change is { Before: null, After: null })
            return !hasBegun && (hasBegun = true);
        if (change.After is not { } after)
            return true;
        var fate = FateOf(after);
        return fate != NodeFate.Alive && (change.Before is null || FateOf(change.Before) != fate);
    }

    private static NodeFate FateOf(Node node) => GoneNodeRules.Decide(node.Metadata.Name, node, TimeSpan.Zero, TimeSpan.Zero);

    private async Task<Reconciled> PassAsync(string key, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        GoneNodeResult result;
        TimeSpan took;
        try
        {
            result = await garbage.RunAsync(cancellation).ConfigureAwait(false);
        }
        catch (ApiException)
        {
            GoneNodeMetrics.Failed();
            throw;
        }
        finally
        {
            took = Stopwatch.GetElapsedTime(started);
            rest = took * 10;
        }

        metrics.See(result);
        log.Passed(result.Endpoints, result.Allocations, took.TotalSeconds);
        Tell(result);
        return Reconciled.After(Next(result, rest));
    }

    /// <summary>When the next pass is due.</summary>
    /// <param name="result">What this one did.</param>
    /// <param name="rest">Before then none begins, whatever there is to do.</param>
    internal static TimeSpan Next(GoneNodeResult result, TimeSpan rest)
    {
        var next = Again * (0.75 + (Random.Shared.NextDouble() / 2));
        if (result.Failures.Count > 0)
            next = AfterFailure;
        // A moment later, since the grace must be over and not just ending.
        if (result.NextDue is { } due && due + Gather is var then && then < next)
            next = then;
        return next > rest ? next : rest;
    }

    private void Tell(GoneNodeResult result)
    {
        foreach (var (node, objects) in result.Freed)
            log.IsGone(node, objects);
        foreach (var node in result.Nodes.Keys.Union(told.Keys))
        {
            var fate = result.Nodes.GetValueOrDefault(node);
            // Of a node that is gone and has nothing any more, nobody speaks.
            if (fate != told.GetValueOrDefault(node) && !(told.GetValueOrDefault(node) == NodeFate.Gone && fate == NodeFate.Alive))
                log.Tell(node, fate, options.Grace);
        }

        if (result.Failures.Count > 0)
            log.NotFreed(result.Failures.Count, result.Failures[0]);
        told = result.Nodes;
    }
}
