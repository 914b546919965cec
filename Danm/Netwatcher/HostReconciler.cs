using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Netwatcher;

/// <summary>Brings the host's VLAN and VxLAN interfaces in step with what the networks want.</summary>
/// <param name="multicast">Whether VxLANs flood to multicast groups.</param>
/// <param name="settle">
/// How long an interface must have been unwanted and unused before it goes: an ADD that read the network before it changed may be about
/// to put a Pod on it.
/// </param>
internal sealed class HostReconciler(bool multicast, TimeSpan settle)
{
    private Dictionary<(string Name, int Index), long> unwantedSince = [];

    /// <summary>What there is to do. Interfaces that have not been unwanted for long enough are left out of it, and counted.</summary>
    public LinkPlan Plan(IEnumerable<WantedLink> wishes, IReadOnlySet<string> inUse, bool isComplete, out int unsettled)
    {
        using var socket = RouteSocket.Open();
        var withAddresses = socket.DumpAddresses().Where(a => a.Scope == RouteScope.Universe).Select(a => a.LinkIndex).ToHashSet();
        var plan = LinkPlan.Of(wishes, new HostState(socket.DumpLinks(), inUse, withAddresses), isComplete);
        return Settle(plan, Environment.TickCount64, out unsettled);
    }

    /// <summary>Does it; what the kernel refuses becomes a problem, and the rest is done all the same.</summary>
    public IReadOnlyList<LinkProblem> Apply(LinkPlan plan, Action<LinkStep> done)
    {
        var problems = new List<LinkProblem>();
        using var socket = RouteSocket.Open();
        foreach (var step in plan.Steps)
        {
            try
            {
                Apply(socket, step);
                done(step);
            }
            catch (Exception e) when (e is NetlinkException or HostLinkException)
            {
                problems.Add(new(NetworkOf(step), e.Message));
            }
        }

        return problems;
    }

    private void Apply(RouteSocket socket, LinkStep step)
    {
        switch (step)
        {
            case LinkStep.Delete delete:
                socket.DeleteLink(delete.Link.Index);
                break;
            case LinkStep.Make make:
                HostLink.Ensure(socket, make.Wanted.Parent, make.Wanted.Mtu, multicast);
                break;
            case LinkStep.Adopt adopt:
                socket.SetLink(adopt.Link.Index, new LinkChange { Alias = LinkPlan.AdoptedPrefix + HostLink.Describe(adopt.Wanted.Parent) });
                break;
            case LinkStep.Change change:
                socket.SetLink(change.Link.Index, new LinkChange { Mtu = change.Mtu, Up = change.Up });
                break;
        }
    }

    private LinkPlan Settle(LinkPlan plan, long now, out int unsettled)
    {
        var seen = new Dictionary<(string, int), long>();
        var steps = new List<LinkStep>();
        var waiting = new HashSet<string>();
        foreach (var step in plan.Steps)
        {
            if (step is LinkStep.Delete { Link: var link })
            {
                var since = unwantedSince.GetValueOrDefault((link.Name, link.Index), now);
                seen[(link.Name, link.Index)] = since;
                if (now - since < settle.TotalMilliseconds)
                {
                    waiting.Add(link.Name);
                    continue;
                }
            }
            else if (step is LinkStep.Make make && waiting.Contains(make.Wanted.Parent.Name))
            {
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
}
