using System.Net;
using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Netwatcher.Model;

/// <summary>
/// Links in memory, under the kernel's own rules as far as they matter here: names are unique, an id is there once (a VLAN's on its
/// device, a VxLAN's at all), what stands on a link goes with it, a VLAN is neither larger nor up longer than its device.
/// </summary>
internal sealed class ModelKernel : IModelHost
{
    private const int VxlanHeaders = 50;

    private readonly SortedDictionary<int, Link> links = [];
    private readonly HashSet<int> withAddresses = [];
    private readonly Dictionary<int, int> parents = [];
    private int lastIndex;

    public (IReadOnlyList<Link> Links, IReadOnlySet<int> WithAddresses) Read() => ([.. links.Values], withAddresses.ToHashSet());

    public void Apply(LinkStep step)
    {
        switch (step)
        {
            case LinkStep.Delete delete:
                Delete(delete.Link.Index);
                break;
            case LinkStep.Make { Wanted: var wanted }:
                Make(wanted.Parent, wanted.Mtu);
                break;
            case LinkStep.Adopt adopt:
                Set(adopt.Link.Index, new LinkChange { Alias = LinkPlan.AdoptedPrefix + HostLink.Describe(adopt.Wanted.Parent) });
                break;
            case LinkStep.Change change:
                Set(change.Link.Index, new LinkChange { Mtu = change.Mtu, Up = change.Up });
                break;
        }
    }

    public void AddDevice(string name)
    {
        TryAdd(new LinkSpec(name, new LinkKind.Bridge()) { Up = true });
        AddAddress(Find(name)!.Index);
    }

    public bool TryAdd(LinkSpec spec)
    {
        try
        {
            Add(spec);
            return true;
        }
        catch (NetlinkException)
        {
            return false;
        }
    }

    public void Delete(int index)
    {
        if (!links.Remove(index))
            return;
        withAddresses.Remove(index);
        foreach (var pod in parents.Where(p => p.Value == index).Select(p => p.Key).ToList())
            parents.Remove(pod);
        foreach (var child in links.Values.Where(l => l.ParentIndex == index).ToList())
            Delete(child.Index);
    }

    public void Set(int index, LinkChange change)
    {
        if (!links.TryGetValue(index, out var link))
            throw new NetlinkException(Errno.ENODEV, $"set link {index}");
        if (change.Mtu is { } mtu)
            SetMtu(link, mtu);
        if (change.Up is { } up)
            SetUp(links[index], up);
        if (change.Alias is { } alias)
            links[index] = links[index] with { Alias = alias };
    }

    public void AddAddress(int index) => withAddresses.Add(index);

    public int? Ensure(ParentLink parent, int? mtu)
    {
        try
        {
            return Make(parent, mtu).Index;
        }
        catch (Exception e) when (e is HostLinkException or NetlinkException)
        {
            return null;
        }
    }

    public void AddChild(int parent, int pod) => parents[pod] = parent;

    public bool HasChild(int pod) => parents.ContainsKey(pod);

    public void DeleteChild(int pod) => parents.Remove(pod);

    // As HostLink.Ensure does it.
    private Link Make(ParentLink parent, int? mtu)
    {
        var device = Find(parent.HostDevice) ?? throw new HostLinkException($"{parent.HostDevice} does not exist on this node");
        if (Find(parent.Name) is { } present)
            return HostLink.Fits(present, parent, device) ? present : throw new HostLinkException($"{parent.Name} is something else");
        if (parent.Encapsulation == Encapsulation.Vxlan && !withAddresses.Contains(device.Index))
            throw new HostLinkException($"{parent.HostDevice} has no address");
        var isVlan = parent.Encapsulation == Encapsulation.Vlan;
        return Add(new LinkSpec(
            parent.Name,
            isVlan
                ? new LinkKind.Vlan(parent.Vni)
                : new LinkKind.Vxlan((uint)parent.Vni) { UnderlayIndex = device.Index, Local = IPAddress.Parse("192.0.2.1") })
        {
            ParentIndex = isVlan ? device.Index : null,
            Mtu = mtu,
            Up = !isVlan || device.IsUp,
            Alias = HostLink.AliasOf(parent),
        });
    }

    private Link Add(LinkSpec spec)
    {
        var parentIndex = spec.ParentIndex ?? (spec.Kind as LinkKind.Vxlan)?.UnderlayIndex;
        var parent = parentIndex is { } p ? links[p] : null;
        if (Find(spec.Name) is not null || links.Values.Any(l => IsSameId(l, spec.Kind, parentIndex)))
            throw new NetlinkException(Errno.EEXIST, $"add link {spec.Name}");
        var largest = MaxMtu(spec.Kind, parent);
        if (spec.Kind is LinkKind.Vlan && spec.Mtu > largest)
            throw new NetlinkException(Errno.EINVAL, $"add link {spec.Name}");
        if (spec.Kind is LinkKind.Vlan && spec.Up && !parent!.IsUp)
            throw new NetlinkException(Errno.ENETDOWN, $"add link {spec.Name}");
        var link = new Link
        {
            Index = ++lastIndex,
            Name = spec.Name,
            Kind = spec.Kind,
            ParentIndex = parentIndex,
            Mtu = Math.Min(spec.Mtu ?? largest, largest),
            Flags = spec.Up ? LinkFlags.Up : LinkFlags.None,
            Alias = spec.Alias,
        };
        return links[link.Index] = link;
    }

    private void SetMtu(Link link, int mtu)
    {
        if (mtu > MaxMtu(link.Kind, link.ParentIndex is { } p ? links[p] : null) && link.ParentIndex is not null)
            throw new NetlinkException(Errno.EINVAL, $"set mtu of {link.Name}");
        links[link.Index] = link with { Mtu = mtu };
        foreach (var child in links.Values.Where(l => l.ParentIndex == link.Index && l.Kind is not LinkKind.Vxlan && l.Mtu > mtu).ToList())
            SetMtu(child, mtu);
    }

    private void SetUp(Link link, bool up)
    {
        if (up && link is { Kind: LinkKind.Vlan, ParentIndex: { } p } && !links[p].IsUp)
            throw new NetlinkException(Errno.ENETDOWN, $"set {link.Name} up");
        links[link.Index] = link with { Flags = up ? LinkFlags.Up : LinkFlags.None };
        foreach (var child in links.Values.Where(l => l.ParentIndex == link.Index && l.Kind is LinkKind.Vlan && l.IsUp != up).ToList())
            SetUp(child, up);
    }

    private Link? Find(string name) => links.Values.FirstOrDefault(l => l.Name == name);

    private static int MaxMtu(LinkKind? kind, Link? parent) => parent switch
    {
        null => 1500,
        _ when kind is LinkKind.Vxlan => parent.Mtu - VxlanHeaders,
        _ => parent.Mtu,
    };

    private static bool IsSameId(Link link, LinkKind kind, int? parentIndex) => (kind, link.Kind) switch
    {
        (LinkKind.Vlan one, LinkKind.Vlan other) => one == other && link.ParentIndex == parentIndex,
        (LinkKind.Vxlan one, LinkKind.Vxlan other) => (one.Id, one.Port) == (other.Id, other.Port),
        _ => false,
    };
}
