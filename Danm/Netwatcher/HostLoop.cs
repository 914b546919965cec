using Danm.HostLinks;
using Danm.Kube.Queues;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// One look at everything: what all networks want of this host, what there is, and the difference done. What was missed is made good at
/// the next look.
/// </summary>
/// <param name="wishes">What the networks want.</param>
/// <param name="reconciler">Plans and changes interfaces.</param>
/// <param name="definitions">Leads NetworkAttachmentDefinitions to them.</param>
/// <param name="flooding">Where VxLANs are sent to other nodes one by one; null: they have multicast.</param>
/// <param name="endpoints">Where this node's VxLAN addresses are told; null with multicast.</param>
/// <param name="report">Told who lacks what.</param>
/// <param name="log">Gets a line a change.</param>
internal sealed class HostLoop(
    NetworkWishes wishes, HostReconciler reconciler, DefinitionWriter definitions, UnicastFlooding? flooding, TunnelEndpoints? endpoints, ProblemReport report, ILogger log)
{
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);

    /// <summary>How many interfaces of the host were wanted at the last look.</summary>
    public int Wanted { get; private set; }

    /// <summary>Looks, and says when to look again if nothing happens until then.</summary>
    /// <exception cref="Netlink.NetlinkException">The host's interfaces cannot be read.</exception>
    public async Task<Reconciled> LookAsync(TimeSpan settle, CancellationToken cancellation)
    {
        // In this order: a network that goes is seen to go before its Pods' DanmEps are asked for.
        var isComplete = wishes.IsComplete;
        var (wanted, problems, rewrites) = wishes.Read();
        Wanted = wanted.Count(w => w.Parent.Encapsulation != Networks.Encapsulation.None);
        var plan = reconciler.Plan(wanted, wishes.InUse(), isComplete, out var unsettled);
        problems.AddRange(plan.Problems);
        problems.AddRange(reconciler.Apply(plan, Note));
        problems.AddRange(Flood(wanted));
        report.Tell(problems, wishes.Find);
        if (endpoints is not null)
            await endpoints.PublishAsync(flooding!.Own, cancellation).ConfigureAwait(false);
        // What is not known yet may have an older claim to the name.
        if (isComplete)
            await definitions.WriteAsync(rewrites, cancellation).ConfigureAwait(false);
        var next = unsettled > 0 ? settle : Resync;
        return Reconciled.After(new[] { reconciler.NextTry, definitions.NextTry, next }.Min() ?? next);
    }

    private List<LinkProblem> Flood(List<WantedLink> wanted)
    {
        var problems = new List<LinkProblem>();
        foreach (var change in flooding?.Plan(wanted) ?? [])
        {
            try
            {
                UnicastFlooding.Apply(change);
                log.Did(change.ToString());
            }
            catch (Netlink.NetlinkException e)
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
