using System.Net.Sockets;
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

    /// <summary>Whether it is one that was there before us.</summary>
    internal static bool IsAdopted(Link link) => IsOurs(link) && link.Alias!.StartsWith(AdoptedPrefix, StringComparison.Ordinal);

    private sealed class Planner
    {
        // What the kernel takes off a device's MTU for the headers of a VxLAN over IPv4, resp. IPv6.
        private const int VxlanHeaders = 50, Vxlan6Headers = 70;

        private readonly HostState host;
        private readonly Dictionary<string, Link> byName;
        private readonly Dictionary<int, Link> byIndex;
        private readonly HashSet<int> borne = [];
        private readonly Dictionary<string, List<string>> sharers = [];
        private readonly List<LinkProblem> problems = [];

        public Planner(HostState host)
        {
            this.host = host;
            byName = host.Links.ToDictionary(l => l.Name);
            byIndex = host.Links.ToDictionary(l => l.Index);
            foreach (var link in host.Links)
            {
                if (host.InUse.Contains(link.Name))
                    borne.Add(link.Index);
                if (host.InUse.Contains(link.Name) || !IsOurs(link))
                    borne.UnionWith(Below(link));
            }
        }

        public LinkPlan Plan(IEnumerable<WantedLink> wishes, bool isComplete)
        {
            var missing = new List<WantedLink>();
            var going = new HashSet<int>();
            var kept = new HashSet<int>();
            var fitting = new List<(WantedLink Wanted, Link Link, Link Device)>();
            foreach (var wanted in Grant(wishes))
            {
                if (!byName.TryGetValue(wanted.Parent.HostDevice, out var device))
                {
                    Tell(wanted, $"host_device \"{wanted.Parent.HostDevice}\" does not exist on this node", isLocal: true);
                }
                else if (!byName.TryGetValue(wanted.Parent.Name, out var link))
                {
                    missing.Add(wanted);
                }
                else if (HostLink.Fits(link, wanted.Parent, device))
                {
                    kept.Add(link.Index);
                    kept.UnionWith(Below(link));
                    fitting.Add((wanted, link, device));
                }
                else if (IsOurs(link) && MayGo(link))
                {
                    going.Add(link.Index);
                    missing.Add(wanted);
                }
                else
                {
                    Tell(wanted, $"host interface \"{wanted.Parent.Name}\" {(IsOurs(link)
                        ? $"is not {HostLink.Describe(wanted.Parent)} yet, since it is in use as it is: it changes when nothing on this node needs it any more"
                        : $"exists but is not {HostLink.Describe(wanted.Parent)}, and Danm did not make it: remove or rename it")}");
                }
            }

            going.UnionWith(host.Links.Where(l => IsOurs(l) && MayGo(l) && !kept.Contains(l.Index)).Select(l => l.Index));
            var made = missing.Where(w => CanBeMade(w, going, isComplete)).Select(w => new LinkStep.Make(Largest(w))).ToList();
            // What goes takes along what stands on it.
            var changes = fitting.Where(f => !isComplete || !Below(f.Link).Overlaps(going)).SelectMany(f => Keep(f.Wanted, f.Link, f.Device, isComplete)).ToList();
            // Deleting comes first: an id that moves to another name is free only then. What is not known yet may want what is there.
            return new LinkPlan(
                [.. isComplete ? host.Links.Where(l => going.Contains(l.Index)).Select(l => new LinkStep.Delete(l)) : [], .. made, .. changes],
                problems);
        }

        /// <summary>One wish for each name and for each id; the rest become problems.</summary>
        private List<WantedLink> Grant(IEnumerable<WantedLink> wishes)
        {
            var encapsulated = wishes.Where(w => w.Parent.Encapsulation != Encapsulation.None).ToList();
            var names = encapsulated.Select(w => w.Parent.Name).ToHashSet();
            var byLink = new Dictionary<string, WantedLink>();
            var byWire = new Dictionary<(string?, Encapsulation, int), WantedLink>();
            var granted = new List<WantedLink>();
            foreach (var wish in encapsulated
                         .OrderByDescending(KeepsWhatIsInUse).ThenBy(w => w.Created, StringComparer.Ordinal).ThenBy(w => w.Network, StringComparer.Ordinal))
            {
                // A network of other nodes' devices stands in nobody's way here.
                if (!byName.ContainsKey(wish.Parent.HostDevice) && !names.Contains(wish.Parent.HostDevice))
                {
                    problems.Add(new(wish.Network, $"host_device \"{wish.Parent.HostDevice}\" does not exist on this node", IsLocal: true));
                    continue;
                }

                // The kernel has a VLAN's id once on a device, a VxLAN's once.
                var wire = (wish.Parent.Encapsulation == Encapsulation.Vlan ? wish.Parent.HostDevice : null, wish.Parent.Encapsulation, wish.Parent.Vni);
                if (byLink.TryGetValue(wish.Parent.Name, out var holder) && holder.Parent != wish.Parent)
                {
                    problems.Add(new(wish.Network, $"host interface \"{wish.Parent.Name}\" is {HostLink.Describe(holder.Parent)} for {holder.Network}, which came first: give one of the two another NetworkID"));
                }
                else if (byWire.TryGetValue(wire, out holder) && holder.Parent.Name != wish.Parent.Name)
                {
                    problems.Add(new(wish.Network, $"{HostLink.Describe(holder.Parent)} is \"{holder.Parent.Name}\" for {holder.Network} already, and the kernel allows one: give {(holder.Parent.HostDevice == wish.Parent.HostDevice ? "both networks the same NetworkID" : "one of the two another id")}"));
                }
                else if (byLink.TryAdd(wish.Parent.Name, wish))
                {
                    byWire[wire] = wish;
                    granted.Add(wish);
                    sharers[wish.Parent.Name] = [wish.Network];
                }
                else
                {
                    sharers[wish.Parent.Name].Add(wish.Network);
                }
            }

            return granted;
        }

        /// <summary>Tells all networks that share the interface.</summary>
        private void Tell(WantedLink wanted, string message, bool isLocal = false) =>
            problems.AddRange(sharers[wanted.Parent.Name].Select(network => new LinkProblem(network, message, isLocal)));

        private bool KeepsWhatIsInUse(WantedLink wish) =>
            byName.TryGetValue(wish.Parent.Name, out var link) && borne.Contains(link.Index)
            && byName.TryGetValue(wish.Parent.HostDevice, out var device) && HostLink.Fits(link, wish.Parent, device);

        /// <summary>Whether the name and the id will be free when it is made, and the kernel will not refuse it for another reason.</summary>
        private bool CanBeMade(WantedLink wanted, HashSet<int> going, bool isComplete)
        {
            var parent = wanted.Parent;
            var device = byName[parent.HostDevice];
            if (host.Links.FirstOrDefault(l => !going.Contains(l.Index) && HostLink.HasId(l, parent, device)) is { } other)
            {
                Tell(wanted, $"host interface \"{parent.Name}\" cannot be made: \"{other.Name}\" is {HostLink.Describe(parent)} already{(IsOurs(other)
                    ? " and in use; it goes when nothing on this node needs it any more"
                    : ", and Danm did not make it: remove it")}");
                return false;
            }

            if (parent.Encapsulation == Encapsulation.Vxlan && !host.WithAddresses.Contains(device.Index))
            {
                Tell(wanted, HostLink.LacksAddress(parent), isLocal: true);
                return false;
            }

            return isComplete
                ? !going.Contains(device.Index) && !Below(device).Overlaps(going)
                : !host.Links.Any(l => going.Contains(l.Index) && (l.Name == parent.Name || HostLink.HasId(l, parent, device)));
        }

        // What the kernel would refuse for its size becomes as large as it can be; the next look says so.
        private WantedLink Largest(WantedLink wanted) => wanted.Parent.Encapsulation == Encapsulation.Vlan && wanted.Mtu > byName[wanted.Parent.HostDevice].Mtu
            ? wanted with { Mtu = null }
            : wanted;

        private IEnumerable<LinkStep> Keep(WantedLink wanted, Link link, Link device, bool isComplete)
        {
            if (string.IsNullOrEmpty(link.Alias))
                yield return new LinkStep.Adopt(link, wanted);
            else if (!IsOurs(link))
                yield break;
            var most = link.Kind is LinkKind.Vxlan vxlan
                ? device.Mtu - (vxlan.Local?.AddressFamily == AddressFamily.InterNetworkV6 ? Vxlan6Headers : VxlanHeaders)
                : device.Mtu;
            if (wanted.Mtu > most)
                problems.Add(new(wanted.Network, $"mtu {wanted.Mtu} is more than the {most} that host_device \"{device.Name}\" has room for: raise the device's, or lower the network's", IsLocal: true));
            // A VLAN without an MTU of its own follows its device; the kernel itself only shrinks it. A VxLAN's it leaves as it was.
            var mtu = Math.Min(wanted.Mtu ?? (link.Kind is LinkKind.Vlan ? device.Mtu : link.Mtu), most);
            // An older network that is not known yet may want another.
            var isOther = isComplete && mtu != link.Mtu;
            // While its device is down the kernel lets nothing on it up.
            var isDown = !link.IsUp && device.IsUp;
            if (isOther || isDown)
                yield return new LinkStep.Change(link, isOther ? mtu : null, isDown ? true : null);
        }

        // Nor may what Pods' or others' interfaces stand on, over however many of ours: they would go with it.
        private bool MayGo(Link link)
        {
            if (borne.Contains(link.Index))
                return false;
            return !IsAdopted(link) || (!host.WithAddresses.Contains(link.Index) && (link.MasterIndex is not { } master || !byIndex.ContainsKey(master)));
        }

        /// <summary>Indexes of what a link stands on, down to the device.</summary>
        private HashSet<int> Below(Link link)
        {
            var below = new HashSet<int>();
            // The ends of a cable name each other.
            while (link.ParentNamespaceId is null && link.ParentIndex is { } index && below.Add(index) && byIndex.TryGetValue(index, out var parent))
                link = parent;
            return below;
        }
    }
}
