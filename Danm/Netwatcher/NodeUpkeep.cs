using Danm.Attach;
using Danm.Calls;
using Danm.Cni;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// What CNI calls leave behind on this node: releases that wait for the API server, and sandboxes that no DEL came for. Calls do the
/// former too; nobody else does the latter.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="state">What the node remembers.</param>
/// <param name="node">This node, as a CNI call finds it.</param>
/// <param name="nodeName">Its name in Kubernetes.</param>
/// <param name="pace">How often.</param>
/// <param name="log">Gets a line a finding.</param>
internal sealed class NodeUpkeep(ApiClient api, NodeState state, LocalNode node, string nodeName, UpkeepPace pace, ILogger log)
{
    private readonly NodeCall call = node.ToCall(state);
    private readonly HostNamespaces namespaces = new();
    private readonly NodeGarbage garbage = new(api, state, nodeName, new DeadSandboxes(node.ToCall(state), api));
    private HashSet<string> told = [];
    private HashSet<(string, DateTimeOffset)> dead = [];

    /// <summary>Runs until it is cancelled; no failure ends it.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var nextPass = TimeSpan.Zero;
        var patience = pace.Retry;
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                if (state.Exists)
                {
                    await DeferredReleases.RunAsync(call, api).ConfigureAwait(false);
                    if (SeesDead() || since.Elapsed >= nextPass)
                    {
                        // What still looks dead may only wait for its Pod to go, or for its successor; what stays so is asked after less and less.
                        var waits = await PassAsync(cancellation).ConfigureAwait(false) || dead.Count > 0;
                        patience = waits ? Min(patience * 2, pace.Pass) : pace.Retry;
                        nextPass = since.Elapsed + (waits ? patience : pace.Pass * (0.5 + Random.Shared.NextDouble()));
                    }
                }
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                log.UpkeepFailed(CniText.Clean(e.Message, 2000));
                nextPass = since.Elapsed + (pace.Look * 6);
            }

            await Task.Delay(pace.Look, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // DanmEps, which some of it is from, are tenants' to write.
    private static string Clean(string text) => CniText.Clean(text, 1000);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>
    /// Whether a sandbox has come to look dead: by journals and paths alone, so that nobody but this node pays for looking often. What a
    /// pass has seen of it is not seen again.
    /// </summary>
    private bool SeesDead()
    {
        var now = DateTimeOffset.UtcNow;
        var found = new HashSet<(string, DateTimeOffset)>();
        foreach (var journal in state.Survey().Concat(state.Addresses.Survey()))
        {
            if (journal.Last is not { Phase: not SandboxPhase.Deferred, Netns: { Length: > 0 } netns } record)
                continue;
            var sight = NodeState.IsOfAnotherBoot(record) ? NamespaceSight.Gone : namespaces.Look(netns);
            garbage.HasSeenNamespaces |= sight == NamespaceSight.Present;
            if (sight == NamespaceSight.Gone && now - journal.Written > GarbageRules.Grace)
                found.Add((journal.Key, journal.Written));
        }

        var isNew = !found.IsSubsetOf(dead);
        dead = found;
        return isNew;
    }

    /// <summary>Whether something is to be looked at again once its grace is over.</summary>
    private async Task<bool> PassAsync(CancellationToken cancellation)
    {
        var findings = await garbage.RunAsync(dryRun: false, cancellation).ConfigureAwait(false);
        var seen = new HashSet<string>();
        foreach (var finding in findings)
        {
            NetwatcherMetrics.Finding(finding.Kind.ToString().ToLowerInvariant());
            var line = $"{finding.Kind} {finding.ContainerId} {finding.Reason}";
            seen.Add(line);
            // What only waits, or cannot be proven, is the same at every pass.
            if (!told.Contains(line) && finding.Kind is not (FindingKind.Waiting or FindingKind.Busy))
                log.Found(finding.Kind.ToString(), Clean($"{finding.PodNamespace}/{finding.PodName}"), Clean(finding.ContainerId ?? ""), Clean(string.Join(' ', finding.Allocations)), Clean(finding.Reason));
        }

        told = seen;
        return findings.Any(f => f.Kind is FindingKind.Waiting or FindingKind.Busy);
    }
}

/// <summary>How often a node is looked after.</summary>
public sealed record UpkeepPace
{
    /// <summary>Between two looks at what waits for the API server.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Half of the time until the first further pass, if one has found something that a later one may free.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>About how long between two passes over the node's objects.</summary>
    public TimeSpan Pass { get; init; } = TimeSpan.FromHours(1);
}
