using System.Net;

namespace Danm.Netlink;

/// <summary>
/// What a virtual interface is, with the settings of its kind (<c>IFLA_INFO_KIND</c>, <c>IFLA_INFO_DATA</c>). The same types say
/// what to make and what is there, so that a wanted interface and a found one compare with <c>==</c>.
/// </summary>
/// <param name="Name">The kernel's name of the kind, as after <c>ip link add type</c>.</param>
public abstract record LinkKind(string Name)
{
    /// <summary>A child that shares its parent's MAC address (drivers/net/ipvlan).</summary>
    public sealed record Ipvlan(IpvlanMode Mode = IpvlanMode.L2) : LinkKind("ipvlan")
    {
        internal override void WriteData(ref NetlinkWriter writer) => writer.Put(IflaInfo.IpvlanMode, (ushort)Mode);

        internal static Ipvlan Read(AttributeReader data)
        {
            var mode = IpvlanMode.L3;
            while (data.MoveNext())
            {
                if (data.Type == IflaInfo.IpvlanMode)
                    mode = (IpvlanMode)data.UInt16;
            }

            return new Ipvlan(mode);
        }
    }

    /// <summary>A child with a MAC address of its own (drivers/net/macvlan.c).</summary>
    public sealed record Macvlan(MacvlanMode Mode = MacvlanMode.Bridge) : LinkKind("macvlan")
    {
        internal override void WriteData(ref NetlinkWriter writer) => writer.Put(IflaInfo.MacvlanMode, (uint)Mode);

        internal static Macvlan Read(AttributeReader data)
        {
            var mode = MacvlanMode.Vepa;
            while (data.MoveNext())
            {
                if (data.Type == IflaInfo.MacvlanMode)
                    mode = (MacvlanMode)data.UInt32;
            }

            return new Macvlan(mode);
        }
    }

    /// <summary>A tagged child (net/8021q).</summary>
    /// <param name="Id">The VLAN identifier, 1 to 4094.</param>
    /// <param name="Protocol">The tag's EtherType: 0x8100 for 802.1Q, 0x88a8 for 802.1ad.</param>
    public sealed record Vlan(int Id, ushort Protocol = 0x8100) : LinkKind("vlan")
    {
        internal override void WriteData(ref NetlinkWriter writer)
        {
            writer.Put(IflaInfo.VlanId, checked((ushort)Id));
            writer.PutBigEndian(IflaInfo.VlanProtocol, Protocol);
        }

        internal static Vlan Read(AttributeReader data)
        {
            var vlan = new Vlan(0);
            while (data.MoveNext())
            {
                vlan = data.Type switch
                {
                    IflaInfo.VlanId => vlan with { Id = data.UInt16 },
                    IflaInfo.VlanProtocol => vlan with { Protocol = data.UInt16BigEndian },
                    _ => vlan,
                };
            }

            return vlan;
        }
    }

    /// <summary>An overlay over UDP (RFC 7348; drivers/net/vxlan).</summary>
    /// <param name="Id">The VxLAN network identifier, 1 to 16777215.</param>
    public sealed record Vxlan(uint Id) : LinkKind("vxlan")
    {
        /// <summary>The UDP port that IANA gave VxLAN.</summary>
        public const ushort IanaPort = 4789;

        /// <summary>Index of the interface under it; null lets routing choose.</summary>
        public int? UnderlayIndex { get; init; }

        /// <summary>Where frames of unknown destination go: a multicast group, or one remote.</summary>
        public IPAddress? Group { get; init; }

        /// <summary>Source address of the outer packets, of the same family as <see cref="Group"/>.</summary>
        public IPAddress? Local { get; init; }

        /// <summary>UDP destination port. The kernel's own default is 8472, not IANA's.</summary>
        public ushort Port { get; init; } = IanaPort;

        /// <summary>Whether senders' addresses are learnt from received frames.</summary>
        public bool Learning { get; init; } = true;

        /// <summary>Whether user space is told of frames to unknown MAC addresses.</summary>
        public bool L2Miss { get; init; }

        /// <summary>Whether user space is told of packets to unknown IP addresses.</summary>
        public bool L3Miss { get; init; }

        internal override void WriteData(ref NetlinkWriter writer)
        {
            writer.Put(IflaInfo.VxlanId, Id);
            if (UnderlayIndex is { } underlay)
                writer.Put(IflaInfo.VxlanLink, underlay);
            if (Group is { } group)
                writer.Put(IsIPv6(group) ? IflaInfo.VxlanGroup6 : IflaInfo.VxlanGroup, group);
            if (Local is { } local)
                writer.Put(IsIPv6(local) ? IflaInfo.VxlanLocal6 : IflaInfo.VxlanLocal, local);
            writer.PutBigEndian(IflaInfo.VxlanPort, Port);
            writer.Put(IflaInfo.VxlanLearning, (byte)(Learning ? 1 : 0));
            writer.Put(IflaInfo.VxlanL2Miss, (byte)(L2Miss ? 1 : 0));
            writer.Put(IflaInfo.VxlanL3Miss, (byte)(L3Miss ? 1 : 0));
        }

        internal static Vxlan Read(AttributeReader data)
        {
            var vxlan = new Vxlan(0);
            while (data.MoveNext())
            {
                vxlan = data.Type switch
                {
                    IflaInfo.VxlanId => vxlan with { Id = data.UInt32 },
                    IflaInfo.VxlanLink => vxlan with { UnderlayIndex = data.Int32 },
                    IflaInfo.VxlanGroup or IflaInfo.VxlanGroup6 => vxlan with { Group = data.Address },
                    IflaInfo.VxlanLocal or IflaInfo.VxlanLocal6 => vxlan with { Local = data.Address },
                    IflaInfo.VxlanPort => vxlan with { Port = data.UInt16BigEndian },
                    IflaInfo.VxlanLearning => vxlan with { Learning = data.Byte != 0 },
                    IflaInfo.VxlanL2Miss => vxlan with { L2Miss = data.Byte != 0 },
                    IflaInfo.VxlanL3Miss => vxlan with { L3Miss = data.Byte != 0 },
                    _ => vxlan,
                };
            }

            return vxlan;
        }

        private static bool IsIPv6(IPAddress address) => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
    }

    /// <summary>An interface that swallows what it is given.</summary>
    public sealed record Dummy() : LinkKind("dummy");

    /// <summary>A software switch.</summary>
    public sealed record Bridge() : LinkKind("bridge");

    /// <summary>A routing domain: what is enslaved to it looks routes up in <paramref name="Table"/>.</summary>
    /// <param name="Table">The routing table.</param>
    public sealed record Vrf(uint Table) : LinkKind("vrf")
    {
        internal override void WriteData(ref NetlinkWriter writer) => writer.Put(IflaInfo.VrfTable, Table);

        internal static Vrf Read(AttributeReader data)
        {
            var table = 0u;
            while (data.MoveNext())
            {
                if (data.Type == IflaInfo.VrfTable)
                    table = data.UInt32;
            }

            return new Vrf(table);
        }
    }

    /// <summary>One end of a cable. A link that is read has no peer here: the peer is the link's parent.</summary>
    /// <param name="PeerName">Name of the other end; the kernel chooses one if null.</param>
    /// <param name="PeerNamespace">Where the other end is made; beside this end if null.</param>
    public sealed record Veth(string? PeerName = null, NetworkNamespace? PeerNamespace = null) : LinkKind("veth")
    {
        internal override void WriteData(ref NetlinkWriter writer)
        {
            var peer = writer.BeginNested(IflaInfo.VethPeer);
            writer.Append(default(IfInfoMsg));
            if (PeerName is not null)
                writer.Put(Ifla.Name, InterfaceName.Require(PeerName, nameof(PeerName)));
            if (PeerNamespace is not null)
                writer.Put(Ifla.NetNsFd, PeerNamespace.Descriptor);
            writer.EndNested(peer);
        }
    }

    /// <summary>A kind that this layer reads by its name only.</summary>
    public sealed record Other(string Name) : LinkKind(Name);

    /// <summary>Writes the attributes of <c>IFLA_INFO_DATA</c>.</summary>
    internal virtual void WriteData(ref NetlinkWriter writer)
    {
    }

    /// <summary>Reads <c>IFLA_LINKINFO</c>.</summary>
    internal static LinkKind? ReadInfo(AttributeReader linkInfo)
    {
        string? name = null;
        var data = default(AttributeReader);
        while (linkInfo.MoveNext())
        {
            if (linkInfo.Type == IflaInfo.Kind)
                name = linkInfo.Text;
            else if (linkInfo.Type == IflaInfo.Data)
                data = linkInfo.Nested;
        }

        return name switch
        {
            null => null,
            "ipvlan" => Ipvlan.Read(data),
            "macvlan" => Macvlan.Read(data),
            "vlan" => Vlan.Read(data),
            "vxlan" => Vxlan.Read(data),
            "vrf" => Vrf.Read(data),
            "dummy" => new Dummy(),
            "bridge" => new Bridge(),
            "veth" => new Veth(),
            _ => new Other(name),
        };
    }
}

/// <summary>What an ipvlan child looks at to tell its packets (<c>IFLA_IPVLAN_MODE</c>).</summary>
public enum IpvlanMode : ushort
{
    /// <summary>Switching: ARP and broadcast work.</summary>
    L2 = 0,

    /// <summary>Routing in the parent's namespace.</summary>
    L3 = 1,

    /// <summary>Routing with the parent's netfilter hooks.</summary>
    L3S = 2,
}

/// <summary>How macvlan children of one parent meet (<c>IFLA_MACVLAN_MODE</c>).</summary>
public enum MacvlanMode
{
    /// <summary>Not at all.</summary>
    Private = 1,

    /// <summary>Through the external switch.</summary>
    Vepa = 2,

    /// <summary>Directly.</summary>
    Bridge = 4,

    /// <summary>One child has the parent to itself.</summary>
    Passthru = 8,
}
