using System.Net;

namespace Danm.Netlink;

/// <summary>An entry of the neighbour table, or of a bridge's or VxLAN's forwarding database (RTM_NEWNEIGH).</summary>
/// <param name="LinkIndex">The interface.</param>
/// <param name="Destination">The neighbour's IP address; in a VxLAN's forwarding database the remote end's, in a bridge's null.</param>
/// <param name="Address">The MAC address; all zero is the VxLAN's default entry (head-end replication); null while unresolved.</param>
public sealed record Neighbour(int LinkIndex, IPAddress? Destination, MacAddress? Address)
{
    /// <summary>The interface that a VxLAN's remote end is reached through, where the entry says so; it is part of the entry's identity.</summary>
    public int? Via { get; init; }

    /// <summary>What the kernel knows of it (<c>NUD_*</c>).</summary>
    public NeighbourState State { get; init; } = NeighbourState.Permanent;

    /// <summary>The entry, as <c>ip neighbour</c> and <c>bridge fdb</c> spell it.</summary>
    public override string ToString() => $"{Address?.ToString() ?? "unresolved"} dst {Destination?.ToString() ?? "none"} dev {LinkIndex}";

    /// <summary>NTF_SELF: the entry is the interface's own, not that of the bridge it is a port of.</summary>
    internal const byte SelfFlag = 2;

    internal static bool TryParse(in NetlinkMessage message, bool forwarding, out Neighbour neighbour)
    {
        neighbour = null!;
        if (message.Type != Rtm.NewNeighbour)
            return false;
        var attributes = message.Split<NdMsg>(out var header);
        if (forwarding != (header.Family == Native.AF_BRIDGE))
            return false;
        IPAddress? destination = null;
        MacAddress? address = null;
        int? via = null;
        while (attributes.MoveNext())
        {
            if (attributes.Type == Nda.Destination)
                destination = attributes.Address;
            else if (attributes.Type == Nda.LinkLayerAddress)
                address = attributes.LinkLayerAddress;
            else if (attributes.Type == Nda.Ifindex && forwarding)
                via = attributes.Int32;
        }

        neighbour = new Neighbour(header.Index, destination, address) { State = (NeighbourState)header.State, Via = via };
        return true;
    }
}

/// <summary>State of a neighbour entry (rtnetlink(7)).</summary>
[Flags]
public enum NeighbourState : ushort
{
    /// <summary>Nothing known.</summary>
    None = 0,

    /// <summary>Being resolved.</summary>
    Incomplete = 0x01,

    /// <summary>Confirmed lately.</summary>
    Reachable = 0x02,

    /// <summary>Known, not confirmed lately.</summary>
    Stale = 0x04,

    /// <summary>About to be probed.</summary>
    Delay = 0x08,

    /// <summary>Being probed.</summary>
    Probe = 0x10,

    /// <summary>Resolution failed.</summary>
    Failed = 0x20,

    /// <summary>Needs no resolution.</summary>
    NoArp = 0x40,

    /// <summary>Set by an administrator.</summary>
    Permanent = 0x80,
}
