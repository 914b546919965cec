using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Netwatcher.Model;

/// <summary>
/// What a host must look like once nothing happens any more, said without regard to how netwatcher gets there.
/// </summary>
/// <param name="Wishes">Of all networks.</param>
/// <param name="Links">What there is.</param>
/// <param name="WithAddresses">Indexes of those with global addresses.</param>
/// <param name="InUse">Names of those that DanmEps are on.</param>
/// <param name="Complained">Networks that netwatcher has said something about.</param>
internal sealed record Specification(
    IReadOnlyList<WantedLink> Wishes, IReadOnlyList<Link> Links, IReadOnlySet<int> WithAddresses, IReadOnlySet<string> InUse, IReadOnlySet<string> Complained)
{
    public static bool IsOurs(Link link) => link.Kind is LinkKind.Vlan or LinkKind.Vxlan && link.Alias?.StartsWith("danm:", StringComparison.Ordinal) == true;

    /// <summary>All that is not as it must be.</summary>
    public IEnumerable<string> Violations()
    {
        var winners = Winners();
        var mayComplain = new HashSet<string>();
        foreach (var wish in Wishes)
        {
            var (fault, complaint) = Judge(wish, winners);
            if (fault is not null)
                yield return $"{wish}: {fault}";
            if (complaint is not null)
                mayComplain.Add(wish.Network);
            if (complaint is not null && !Complained.Contains(wish.Network))
                yield return $"{wish}: nobody says that {complaint}";
        }

        foreach (var network in Complained.Except(mayComplain))
            yield return $"{network}: there is nothing to complain of";
        foreach (var link in Links.Where(l => IsOurs(l) && !winners.Any(w => Is(l, w)) && !IsPinned(l) && !CarriesWanted(l, winners)))
            yield return $"{link.Name}: nobody wants it, and nothing keeps it";
    }

    private (string? Fault, string? Complaint) Judge(WantedLink wish, List<WantedLink> winners)
    {
        var parent = wish.Parent;
        if (Find(parent.HostDevice) is not { } device)
            return (null, "the device is missing");
        if (winners.Find(w => w.Parent == parent) is not { } winner)
            return (null, "another network has its interface");
        if (Find(parent.Name) is { } link)
        {
            if (!Is(link, wish))
                return IsOurs(link) && !IsPinned(link) ? ("it is something else", null) : (null, "something else is in its place");
            if (!IsOurs(link))
                return (string.IsNullOrEmpty(link.Alias) ? "it is not adopted" : null, null);
            if (device.IsUp && !link.IsUp)
                return ("it is down", null);
            var most = parent.Encapsulation == Encapsulation.Vlan ? device.Mtu : device.Mtu - 50;
            var right = Math.Min(winner.Mtu ?? (parent.Encapsulation == Encapsulation.Vlan ? device.Mtu : link.Mtu), most);
            return (link.Mtu == right ? null : $"its MTU is {link.Mtu}, not {right}", wish == winner && wish.Mtu > most ? "the MTU is too large" : null);
        }

        if (Links.FirstOrDefault(l => HasId(l, parent)) is { } other && (!IsOurs(other) || IsPinned(other) || CarriesWanted(other, winners)))
            return (null, $"{other.Name} has its id");
        return parent.Encapsulation == Encapsulation.Vxlan && !WithAddresses.Contains(device.Index)
            ? (null, "the device has no address")
            : ("it is missing", null);
    }

    /// <summary>
    /// The wishes that are to come true where the kernel lets them: of two that cannot both, the one whose interface is in use, then the
    /// older. Those whose device the node does not have are no rivals, unless another network is to make the device.
    /// </summary>
    private List<WantedLink> Winners()
    {
        var winners = new List<WantedLink>();
        foreach (var wish in Wishes
                     .Where(w => Find(w.Parent.HostDevice) is not null || Wishes.Any(o => o.Parent.Name == w.Parent.HostDevice))
                     .OrderBy(w => Links.Any(l => Is(l, w) && IsBorne(l)) ? 0 : 1).ThenBy(w => w.Created, StringComparer.Ordinal).ThenBy(w => w.Network, StringComparer.Ordinal))
        {
            if (!winners.Exists(w => w.Parent == wish.Parent || AreRivals(w.Parent, wish.Parent)))
                winners.Add(wish);
        }

        return winners;
    }

    private static bool AreRivals(ParentLink a, ParentLink b) =>
        a.Name == b.Name || ((a.Encapsulation, a.Vni) == (b.Encapsulation, b.Vni) && (a.Encapsulation == Encapsulation.Vxlan || a.HostDevice == b.HostDevice));

    private Link? Find(string name) => Links.FirstOrDefault(l => l.Name == name);

    private bool Is(Link link, WantedLink wish) =>
        link.Name == wish.Parent.Name && HasId(link, wish.Parent) && link.ParentIndex == Find(wish.Parent.HostDevice)?.Index;

    private bool HasId(Link link, ParentLink parent) => link.Kind switch
    {
        LinkKind.Vlan vlan => parent.Encapsulation == Encapsulation.Vlan && vlan is { Protocol: 0x8100 } && vlan.Id == parent.Vni && link.ParentIndex == Find(parent.HostDevice)?.Index,
        LinkKind.Vxlan vxlan => parent.Encapsulation == Encapsulation.Vxlan && vxlan is { Port: 4789 } && vxlan.Id == parent.Vni,
        _ => false,
    };

    /// <summary>Whether a Pod, or an interface that is not ours, would go with it.</summary>
    private bool IsBorne(Link link) => InUse.Contains(link.Name) || Above(link).Any(l => !IsOurs(l) || IsBorne(l));

    private bool IsPinned(Link link) => IsBorne(link) || (link.Alias?.StartsWith("danm:adopted:", StringComparison.Ordinal) == true && WithAddresses.Contains(link.Index));

    private bool CarriesWanted(Link link, List<WantedLink> winners) => Above(link).Any(l => winners.Exists(w => Is(l, w)) || CarriesWanted(l, winners));

    private IEnumerable<Link> Above(Link link) => Links.Where(l => l.ParentIndex == link.Index && l.ParentNamespaceId is null);
}
