using Danm.Netlink;
using Danm.Networks;

namespace Danm.HostLinks;

/// <summary>What there is on the host.</summary>
/// <param name="Links">All interfaces.</param>
/// <param name="InUse">Names of interfaces that Pods of this node stand on.</param>
/// <param name="WithAddresses">Indexes of interfaces that have global addresses.</param>
public sealed record HostState(IReadOnlyList<Link> Links, IReadOnlySet<string> InUse, IReadOnlySet<int> WithAddresses);

/// <summary>The difference between what networks want of the host and what there is: a pure function.</summary>
/// <param name="Steps">What to do, in this order.</param>
/// <param name="Problems">Who does not get what it wants.</param>
public sealed record LinkPlan(IReadOnlyList<LinkStep> Steps, IReadOnlyList<LinkProblem> Problems)
{
    /// <summary>How an adopted interface's alias begins: it is deleted only if nothing but us uses it.</summary>
    public const string AdoptedPrefix = HostLink.AliasPrefix + "adopted:";

    /// <param name="wishes">Of all networks; those without a VLAN or VxLAN of their own are left out.</param>
    /// <param name="host">The host.</param>
    /// <param name="isComplete">Whether all networks are known; if not, nothing is deleted because nobody wants it.</param>
    public static LinkPlan Of(IEnumerable<WantedLink> wishes, HostState host, bool isComplete)
    {
        ArgumentNullException.ThrowIfNull(wishes);
        ArgumentNullException.ThrowIfNull(host);
        return new Planner(host).Plan(wishes, isComplete);
    }

    /// <summary>Whether it is one that we made or adopted.</summary>
    internal static bool IsOurs(Link link) => link.Alias?.StartsWith(HostLink.AliasPrefix, StringComparison.Ordinal) == true && link.Kind is (LinkKind.Vlan or LinkKind.Vxlan);

    private sealed class Planner(HostState host)
    {
        private readonly Dictionary<string, Link> byName = host.Links.ToDictionary(l => l.Name);
        private readonly Dictionary<int, Link> byIndex = host.Links.ToDictionary(l => l.Index);
        private readonly List<LinkStep> steps = [];
        private readonly List<LinkProblem> problems = [];

        public LinkPlan Plan(IEnumerable<WantedLink> wishes, bool isComplete)
        {
            var granted = Grant(wishes);
            var kept = granted.Select(w => w.Parent.Name).ToHashSet();
            // Deleting comes first: an id that moves to another name is free only then.
            if (isComplete)
                steps.AddRange(host.Links.Where(l => IsOurs(l) && !kept.Contains(l.Name) && MayGo(l)).Select(l => new LinkStep.Delete(l)));
            foreach (var wanted in granted)
                Fulfil(wanted);
            return new LinkPlan(steps, problems);
        }

        /// <summary>One wish for each name and for each id on a device; the rest become problems.</summary>
        private List<WantedLink> Grant(IEnumerable<WantedLink> wishes)
        {
            var byLink = new Dictionary<string, WantedLink>();
            var byWire = new Dictionary<(string, Encapsulation, int), WantedLink>();
            var granted = new List<WantedLink>();
            foreach (var wish in wishes.Where(w => w.Parent.Encapsulation != Encapsulation.None)
                         .OrderByDescending(KeepsWhatIsInUse).ThenBy(w => w.Created, StringComparer.Ordinal).ThenBy(w => w.Network, StringComparer.Ordinal))
            {
                var wire = (wish.Parent.HostDevice, wish.Parent.Encapsulation, wish.Parent.Vni);
                if (byLink.TryGetValue(wish.Parent.Name, out var holder) && holder.Parent != wish.Parent)
                {
                    problems.Add(new(wish.Network, $"host interface \"{wish.Parent.Name}\" is {HostLink.Describe(holder.Parent)} for {holder.Network}, which came first: give one of the two another NetworkID"));
                }
                else if (byWire.TryGetValue(wire, out holder) && holder.Parent.Name != wish.Parent.Name)
                {
                    problems.Add(new(wish.Network, $"{HostLink.Describe(wish.Parent)} is \"{holder.Parent.Name}\" for {holder.Network} already, and the kernel allows one: give both networks the same NetworkID"));
                }
                else if (byLink.TryAdd(wish.Parent.Name, wish))
                {
                    byWire[wire] = wish;
                    granted.Add(wish);
                }
            }

            return granted;
        }

        private bool KeepsWhatIsInUse(WantedLink wish) =>
            host.InUse.Contains(wish.Parent.Name) && byName.TryGetValue(wish.Parent.Name, out var link)
            && byName.TryGetValue(wish.Parent.HostDevice, out var device) && HostLink.Fits(link, wish.Parent, device);

        private void Fulfil(WantedLink wanted)
        {
            var parent = wanted.Parent;
            if (!byName.TryGetValue(parent.HostDevice, out var device))
            {
                problems.Add(new(wanted.Network, $"host_device \"{parent.HostDevice}\" does not exist on this node", IsLocal: true));
                return;
            }

            if (!byName.TryGetValue(parent.Name, out var link))
                steps.Add(new LinkStep.Make(wanted));
            else if (HostLink.Fits(link, parent, device))
                Keep(wanted, link, device);
            else if (!IsOurs(link))
                problems.Add(new(wanted.Network, $"host interface \"{parent.Name}\" exists but is not {HostLink.Describe(parent)}, and Danm did not make it: remove or rename it"));
            else if (!MayGo(link))
                problems.Add(new(wanted.Network, $"host interface \"{parent.Name}\" is not {HostLink.Describe(parent)} yet, since it is in use as it is: it changes when its last Pod on this node is gone"));
            else
                steps.AddRange([new LinkStep.Delete(link), new LinkStep.Make(wanted)]);
        }

        private void Keep(WantedLink wanted, Link link, Link device)
        {
            if (string.IsNullOrEmpty(link.Alias))
                steps.Add(new LinkStep.Adopt(link, wanted));
            else if (!IsOurs(link))
                return;
            // A VLAN without an MTU of its own follows its device; the kernel itself only shrinks it.
            var mtu = wanted.Mtu ?? (wanted.Parent.Encapsulation == Encapsulation.Vlan ? device.Mtu : link.Mtu);
            if (wanted.Parent.Encapsulation == Encapsulation.Vlan && mtu > device.Mtu)
            {
                problems.Add(new(wanted.Network, $"mtu {mtu} is more than host_device \"{device.Name}\" has ({device.Mtu}): raise the device's, or lower the network's", IsLocal: true));
                mtu = device.Mtu;
            }

            // While its device is down the kernel lets nothing on it up.
            var up = !link.IsUp && device.IsUp;
            if (mtu != link.Mtu || up)
                steps.Add(new LinkStep.Change(link, mtu != link.Mtu ? mtu : null, up ? true : null));
        }

        private bool MayGo(Link link)
        {
            if (host.InUse.Contains(link.Name))
                return false;
            var isAdopted = link.Alias!.StartsWith(AdoptedPrefix, StringComparison.Ordinal);
            return !isAdopted || (!host.WithAddresses.Contains(link.Index) && (link.MasterIndex is not { } master || !byIndex.ContainsKey(master)));
        }
    }
}
