using Danm.HostLinks;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// One look at everything: what all networks want of this host, what there is, and the difference done. What was missed is made good at
/// the next look.
/// </summary>
/// <param name="wishes">What the networks want.</param>
/// <param name="reconciler">Plans and changes interfaces.</param>
/// <param name="flooding">Where VxLANs are sent to other nodes one by one; null: they have multicast.</param>
/// <param name="state">What the node remembers: whether an ADD is at work.</param>
/// <param name="report">Told who lacks what.</param>
/// <param name="failed">Told what the API server refuses.</param>
/// <param name="log">Gets a line a change.</param>
internal sealed class HostLoop(
    NetworkWishes wishes, HostReconciler reconciler, UnicastFlooding? flooding, NodeState state, ProblemReport report, Action<string> failed, ILogger log)
{
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);

    // What only a list can tell to be free is asked after this often.
    private static readonly TimeSpan Recheck = TimeSpan.FromSeconds(30);

    // An ADD that takes longer has failed, or been killed.
    private static readonly TimeSpan LongestAdd = TimeSpan.FromMinutes(2);

    // The host's repair does not wait longer for an API server that hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private (HashSet<string> Names, long At) kept = ([], long.MinValue / 2);

    /// <summary>How many interfaces of the host were wanted at the last look.</summary>
    public int Wanted { get; private set; }

    /// <summary>The NetworkAttachmentDefinitions that must say something else, as of the last look that knew everything.</summary>
    public IReadOnlyCollection<AttachmentDefinition> Rewrites { get; private set; } = [];

    /// <summary>Looks, and says when to look again if nothing happens until then.</summary>
    /// <exception cref="NetlinkException">The host's interfaces cannot be read.</exception>
    public async Task<Reconciled> LookAsync(TimeSpan settle, CancellationToken cancellation)
    {
        // In this order: a network that goes is seen to go before its Pods' DanmEps are asked for.
        var isComplete = wishes.IsComplete;
        var (wanted, problems, rewrites) = wishes.Read();
        Wanted = wanted.Count(w => w.Parent.Encapsulation != Encapsulation.None);
        var plan = reconciler.Plan(wanted, wishes.InUse(), isComplete, out var unsettled);
        // A delete cannot be taken back, and the copies that it was decided on may be behind each other.
        var next = Resync;
        if (plan.Steps.OfType<LinkStep.Delete>().Select(d => d.Link.Name).ToList() is { Count: > 0 } doomed)
        {
            var inUse = await ReadInUseAsync(doomed, cancellation).ConfigureAwait(false);
            plan = reconciler.Plan(wanted, inUse ?? wishes.InUse(), isComplete && inUse is not null, out unsettled);
            next = inUse is null ? settle : doomed.Exists(inUse.Contains) ? Recheck : Resync;
        }

        problems.AddRange(plan.Problems);
        // A step may know the interface only; an Event needs the network.
        problems.AddRange(reconciler.Apply(plan, Note).Select(p => wanted.Find(w => w.Parent.Name == p.Network) is { } wish ? p with { Network = wish.Network } : p));
        problems.AddRange(Flood(wanted));
        report.Tell(problems, wishes.Find);
        // What is not known yet may have an older claim to the name.
        Rewrites = isComplete ? rewrites : [];
        return Reconciled.After(new[] { next, unsettled > 0 ? settle : next, reconciler.NextTry ?? next }.Min());
    }

    /// <summary>Names of the interfaces that Pods stand on; null: it cannot be told now.</summary>
    /// <param name="doomed">Those that would go. What kept all of them a moment ago keeps them still, without a list at every look.</param>
    /// <param name="cancellation">Ends it.</param>
    private async Task<HashSet<string>?> ReadInUseAsync(List<string> doomed, CancellationToken cancellation)
    {
        if (Environment.TickCount64 - kept.At < Recheck.TotalMilliseconds && doomed.TrueForAll(kept.Names.Contains))
            return [.. kept.Names, .. wishes.InUse()];
        // It has read the network, and no DanmEp says so yet.
        if (IsAddAtWork(state))
            return null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            var inUse = await wishes.ReadInUseAsync(reconciler.Adopted, patience.Token).ConfigureAwait(false);
            // Only what no copy knows to be in use: the rest is told by the copies, and at once.
            kept = ([.. doomed.Where(inUse.Contains)], Environment.TickCount64);
            return inUse;
        }
        catch (Exception e) when (e is ApiException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            failed($"nothing is deleted, since the node's DanmEps cannot be listed: {e.Message}");
            return null;
        }
    }

    /// <summary>Whether a CNI call may be about to put a Pod on an interface, by the node's journals.</summary>
    internal static bool IsAddAtWork(NodeState state) => state.Exists && state.Survey().Any(
        j => (j.Last is null or { Phase: SandboxPhase.Adding }) && DateTimeOffset.UtcNow - j.Written < LongestAdd);

    private List<LinkProblem> Flood(List<WantedLink> wanted)
    {
        var problems = new List<LinkProblem>();
        foreach (var change in flooding?.Plan() ?? [])
        {
            try
            {
                UnicastFlooding.Apply(change);
                log.Did(change.ToString());
            }
            catch (NetlinkException e)
            {
                problems.AddRange(wanted.Where(w => w.Parent.Name == change.Link.Name).Select(w => new LinkProblem(w.Network, e.Message)));
            }
        }

        return problems;
    }

    private void Note(LinkStep step)
    {
        NetwatcherMetrics.Step(step);
        log.Did(step.ToString());
    }
}
