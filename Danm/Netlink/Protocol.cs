using System.Runtime.InteropServices;

namespace Danm.Netlink;

// The numbers of <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>, <linux/neighbour.h> and
// <linux/fib_rules.h>: an enumeration of the header is a class here, Ifla.Mtu being IFLA_MTU.

/// <summary>Message types below 16, which every netlink family has.</summary>
internal static class Nlmsg
{
    public const ushort Noop = 1, Error = 2, Done = 3, Overrun = 4;
}

/// <summary>Flags of a message.</summary>
internal static class NlmF
{
    public const ushort Request = 0x1, Multi = 0x2, Ack = 0x4, Echo = 0x8, DumpInterrupted = 0x10, Dump = 0x300;
    public const ushort Replace = 0x100, Exclusive = 0x200, Create = 0x400, Append = 0x800;

    /// <summary>On an answer of type <see cref="Nlmsg.Error"/> or <see cref="Nlmsg.Done"/>: the request's payload is left out; attributes follow.</summary>
    public const ushort Capped = 0x100, AckAttributes = 0x200;
}

/// <summary>Attributes of an extended acknowledgement.</summary>
internal static class NlmsgErr
{
    public const ushort Message = 1, MissingType = 5;
}

/// <summary>Message types of NETLINK_ROUTE.</summary>
internal static class Rtm
{
    public const ushort NewLink = 16, DeleteLink = 17, GetLink = 18, SetLink = 19;
    public const ushort NewAddress = 20, DeleteAddress = 21, GetAddress = 22;
    public const ushort NewRoute = 24, DeleteRoute = 25, GetRoute = 26;
    public const ushort NewNeighbour = 28, DeleteNeighbour = 29, GetNeighbour = 30;
    public const ushort NewRule = 32, DeleteRule = 33, GetRule = 34;
}

/// <summary>Attributes of a link.</summary>
internal static class Ifla
{
    public const ushort Address = 1, Name = 3, Mtu = 4, Link = 5, Master = 10, LinkInfo = 18, Alias = 20, Group = 27, NetNsFd = 28,
        ExtMask = 29, LinkNetNsId = 37;

    /// <summary>For <see cref="ExtMask"/>: leave the counters out, which are most of an answer.</summary>
    public const uint SkipStats = 1 << 3;
}

/// <summary>Attributes inside <see cref="Ifla.LinkInfo"/>, and inside its data by kind.</summary>
internal static class IflaInfo
{
    public const ushort Kind = 1, Data = 2;
    public const ushort IpvlanMode = 1;
    public const ushort MacvlanMode = 1;
    public const ushort VlanId = 1, VlanProtocol = 5;
    public const ushort VethPeer = 1;
    public const ushort VrfTable = 1;
    public const ushort VxlanId = 1, VxlanGroup = 2, VxlanLink = 3, VxlanLocal = 4, VxlanLearning = 7, VxlanL2Miss = 13, VxlanL3Miss = 14,
        VxlanPort = 15, VxlanGroup6 = 16, VxlanLocal6 = 17;
}

/// <summary>Attributes of an address.</summary>
internal static class Ifa
{
    public const ushort Address = 1, Local = 2, Broadcast = 4, Flags = 8;
}

/// <summary>Attributes of a route.</summary>
internal static class Rta
{
    public const ushort Destination = 1, OutgoingLink = 4, Gateway = 5, Priority = 6, PreferredSource = 7, Table = 15;
}

/// <summary>Attributes of a rule.</summary>
internal static class Fra
{
    public const ushort Destination = 1, Source = 2, IncomingName = 3, Goto = 4, Priority = 6, Mark = 10, Flow = 11, Table = 15,
        OutgoingName = 17, L3Master = 19, UidRange = 20, IpProtocol = 22, SourcePort = 23, DestinationPort = 24;

    /// <summary>FR_ACT_TO_TBL: look the destination up in the rule's table.</summary>
    public const byte ToTable = 1;
}

/// <summary>Attributes of a neighbour.</summary>
internal static class Nda
{
    public const ushort Destination = 1, LinkLayerAddress = 2, Ifindex = 8;
}

/// <summary><c>struct nlmsghdr</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NlMsgHdr
{
    public const int Size = 16;
    public uint Length;
    public ushort Type;
    public ushort Flags;
    public uint Sequence;
    public uint PortId;
}

/// <summary><c>struct ifinfomsg</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IfInfoMsg
{
    public byte Family;
    public byte Pad;
    public ushort Type;
    public int Index;
    public uint Flags;
    public uint Change;
}

/// <summary><c>struct ifaddrmsg</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IfAddrMsg
{
    public byte Family;
    public byte PrefixLength;
    public byte Flags;
    public byte Scope;
    public int Index;
}

/// <summary><c>struct rtmsg</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RtMsg
{
    public byte Family;
    public byte DestinationLength;
    public byte SourceLength;
    public byte Tos;
    public byte Table;
    public byte Protocol;
    public byte Scope;
    public byte Type;
    public uint Flags;
}

/// <summary><c>struct fib_rule_hdr</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FibRuleHdr
{
    public byte Family;
    public byte DestinationLength;
    public byte SourceLength;
    public byte Tos;
    public byte Table;
    public byte Reserved1;
    public byte Reserved2;
    public byte Action;
    public uint Flags;
}

/// <summary><c>struct ndmsg</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NdMsg
{
    public byte Family;
    public byte Pad1;
    public ushort Pad2;
    public int Index;
    public ushort State;
    public byte Flags;
    public byte Type;
}
