using Danm.HostLinks;
using Danm.Kube.Queues;
using Danm.Netlink;

namespace Danm.Netwatcher;

/// <summary>Brings the host's VLAN and VxLAN interfaces in step with what the networks want.</summary>
/// <param name="host">The host.</param>
/// <param name="settle">
/// How long an interface must have been unwanted and unused before it goes: an ADD that read the network before it changed may be about
/// to put a Pod on it.
/// </param>
/// <param name="clock">What the time is measured with.</param>
internal sealed class HostReconciler(IHostLinks host, TimeSpan settle, TimeProvider clock)
{
    private readonly KeyBackoff<string> backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));

    private Dictionary<(string Name, int Index), long> unwantedSince = [];

    // By the step's text: a network that wants something else is not held up by what failed before.
    private Dictionary<string, Failure> failures = [];

    /// <summary>When the first of the steps that failed is due again; null: none has.</summary>
    public TimeSpan? NextTry => failures.Count == 0 ? null : TimeSpan.FromTicks(Math.Max(0, failures.Values.Min(f => f.NotBefore) - Now));

    /// <param name="multicast">Whether VxLANs flood to multicast groups.</param>
    /// <param name="settle">How long an interface must have been unwanted and unused before it goes.</param>
    public HostReconciler(bool multicast, TimeSpan settle)
        : this(new KernelLinks(RouteSocket.Open, multicast), settle, TimeProvider.System)
    {
    }

    /// <summary>Names of the interfaces that were there before us.</summary>
    public IEnumerable<string> Adopted => host.Read().Links.Where(LinkPlan.IsAdopted).Select(l => l.Name);

    /// <summary>What there is to do. Interfaces that have not been unwanted for long enough are left out of it, and counted.</summary>
    public LinkPlan Plan(IEnumerable<WantedLink> wishes, IReadOnlySet<string> inUse, bool isComplete, out int unsettled)
    {
        var (links, withAddresses) = host.Read();
        var state = new HostState(links, inUse, withAddresses);
        return Settle(LinkPlan.Of(wishes, state, isComplete), state, out unsettled);
    }

    /// <summary>
    /// Does it; what the kernel refuses becomes a problem, and the rest is done all the same. What failed is left alone until it is due
    /// again, later each time.
    /// </summary>
    public IReadOnlyList<LinkProblem> Apply(LinkPlan plan, Action<LinkStep> done)
    {
        var failed = new Dictionary<string, Failure>();
        foreach (var step in plan.Steps)
        {
            var key = step.ToString();
            if (failures.TryGetValue(key, out var before) && Now < before.NotBefore)
            {
                failed[key] = before;
                continue;
            }

            try
            {
                host.Apply(step);
                done(step);
            }
            catch (Exception e) when (e is NetlinkException or HostLinkException)
            {
                failed[key] = new Failure(Now + backoff.Next(key).Ticks, new LinkProblem(NetworkOf(step), e.Message));
            }
        }

        foreach (var key in failures.Keys.Except(failed.Keys))
            backoff.Forget(key);
        failures = failed;
        return [.. failed.Values.Select(f => f.Problem)];
    }

    private long Now => clock.GetElapsedTime(0, clock.GetTimestamp()).Ticks;

    private LinkPlan Settle(LinkPlan plan, HostState state, out int unsettled)
    {
        var now = clock.GetTimestamp();
        var seen = new Dictionary<(string, int), long>();
        var steps = new List<LinkStep>();
        var waiting = new List<Link>();
        foreach (var step in plan.Steps)
        {
            if (step is LinkStep.Delete { Link: var link })
            {
                var since = unwantedSince.GetValueOrDefault((link.Name, link.Index), now);
                seen[(link.Name, link.Index)] = since;
                if (clock.GetElapsedTime(since, now) < settle)
                {
                    waiting.Add(link);
                    continue;
                }
            }
            else if (step is LinkStep.Make { Wanted.Parent: var parent })
            {
                // Its name or its id is not free before that.
                var device = state.Links.FirstOrDefault(l => l.Name == parent.HostDevice);
                if (waiting.Exists(w => w.Name == parent.Name || (device is not null && HostLink.HasId(w, parent, device))))
                    continue;
            }

            steps.Add(step);
        }

        unwantedSince = seen;
        unsettled = waiting.Count;
        return plan with { Steps = steps };
    }

    private static string NetworkOf(LinkStep step) => step switch
    {
        LinkStep.Make make => make.Wanted.Network,
        LinkStep.Adopt adopt => adopt.Wanted.Network,
        LinkStep.Change change => change.Link.Name,
        LinkStep.Delete delete => delete.Link.Name,
        _ => "",
    };

    private readonly record struct Failure(long NotBefore, LinkProblem Problem);
}
