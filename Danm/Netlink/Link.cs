namespace Danm.Netlink;

/// <summary>A network interface as the kernel describes it (RTM_NEWLINK).</summary>
public sealed record Link
{
    /// <summary>The index, unique in its namespace.</summary>
    public required int Index { get; init; }

    /// <summary>The name, of at most 15 bytes.</summary>
    public string Name { get; init; } = "";

    /// <summary>The kind of a virtual interface; null for hardware and loopback.</summary>
    public LinkKind? Kind { get; init; }

    /// <summary>The largest packet in bytes.</summary>
    public int Mtu { get; init; }

    /// <summary>
    /// Index of the interface this one stands on (the device under a VLAN, an ipvlan child or a VxLAN), or a veth's peer.
    /// A VxLAN's is taken from its own attributes, since the kernel sends no IFLA_LINK for it.
    /// It counts in the namespace <see cref="ParentNamespaceId"/> if that is set, else in this link's own.
    /// </summary>
    public int? ParentIndex { get; init; }

    /// <summary>The parent's namespace, as numbered by this one (<c>IFLA_LINK_NETNSID</c>, −1: one that has no number here); null: the same.</summary>
    public int? ParentNamespaceId { get; init; }

    /// <summary>Index of the bridge, bond or VRF that owns it.</summary>
    public int? MasterIndex { get; init; }

    /// <summary>The interface's flags.</summary>
    public LinkFlags Flags { get; init; }

    /// <summary>Whether an administrator brought it up.</summary>
    public bool IsUp => (Flags & LinkFlags.Up) != 0;

    /// <summary>The MAC address; null for interfaces that have none of Ethernet.</summary>
    public MacAddress? Address { get; init; }

    /// <summary>Free text of at most 255 bytes (<c>ip link set alias</c>).</summary>
    public string? Alias { get; init; }

    /// <summary>The group number; 0 unless set.</summary>
    public uint Group { get; init; }

    internal static bool TryParse(in NetlinkMessage message, out Link link)
    {
        link = null!;
        if (message.Type != Rtm.NewLink)
            return false;
        var attributes = message.Split<IfInfoMsg>(out var header);
        // A bridge reports its ports a second time under its own family.
        if (header.Family != Native.AF_UNSPEC)
            return false;
        string name = "";
        string? alias = null;
        int mtu = 0;
        int? parent = null, parentNamespace = null, master = null;
        uint group = 0;
        MacAddress? address = null;
        LinkKind? kind = null;
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case Ifla.Name:
                    name = attributes.Text;
                    break;
                case Ifla.Address:
                    address = attributes.LinkLayerAddress;
                    break;
                case Ifla.Mtu:
                    mtu = attributes.Int32;
                    break;
                case Ifla.Link:
                    parent = attributes.Int32;
                    break;
                case Ifla.LinkNetNsId:
                    parentNamespace = attributes.Int32;
                    break;
                case Ifla.Master:
                    master = attributes.Int32;
                    break;
                case Ifla.Alias:
                    alias = attributes.Text;
                    break;
                case Ifla.Group:
                    group = attributes.UInt32;
                    break;
                case Ifla.LinkInfo:
                    kind = LinkKind.ReadInfo(attributes.Nested);
                    break;
            }
        }

        link = new Link
        {
            Index = header.Index,
            Name = name,
            Kind = kind,
            Mtu = mtu,
            ParentIndex = parent ?? (kind as LinkKind.Vxlan)?.UnderlayIndex,
            ParentNamespaceId = parentNamespace,
            MasterIndex = master,
            Flags = (LinkFlags)header.Flags,
            Address = address,
            Alias = alias,
            Group = group,
        };
        return true;
    }
}

/// <summary>Flags of an interface (netdevice(7)), those of interest.</summary>
[Flags]
public enum LinkFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>An administrator brought it up.</summary>
    Up = 0x1,

    /// <summary>It has a broadcast address.</summary>
    Broadcast = 0x2,

    /// <summary>It is the loopback interface.</summary>
    Loopback = 0x8,

    /// <summary>It is operational.</summary>
    Running = 0x40,

    /// <summary>It does without ARP.</summary>
    NoArp = 0x80,

    /// <summary>It takes every frame.</summary>
    Promiscuous = 0x100,

    /// <summary>It can multicast.</summary>
    Multicast = 0x1000,

    /// <summary>It has a carrier.</summary>
    LowerUp = 0x10000,
}
