using System.Net;

namespace Danm.Netlink;

public sealed partial class RouteBatch
{
    /// <summary>Adds a neighbour entry, or replaces the one of that address.</summary>
    public void AddNeighbour(Neighbour neighbour)
    {
        ArgumentNullException.ThrowIfNull(neighbour);
        var destination = neighbour.Destination ?? throw new ArgumentException("a neighbour has an IP address", nameof(neighbour));
        PutNeighbour(
            Rtm.NewNeighbour, NlmF.Create | NlmF.Replace, WireAddress.Family(destination), 0, neighbour, "add neighbour");
    }

    /// <summary>Deletes a neighbour entry; one that is not there counts as deleted.</summary>
    public void DeleteNeighbour(int index, IPAddress destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        PutNeighbour(
            Rtm.DeleteNeighbour, 0, WireAddress.Family(destination), 0, new Neighbour(index, destination, null), "delete neighbour", Errno.ENOENT);
    }

    /// <summary>
    /// Adds a remote end to a VxLAN's forwarding database, as <c>bridge fdb append … self</c> does. The entry of
    /// <see cref="MacAddress.Zero"/> takes any number of remotes: each gets a copy of every frame of unknown destination.
    /// </summary>
    public void AppendForwarding(int index, MacAddress address, IPAddress remote)
    {
        ArgumentNullException.ThrowIfNull(remote);
        PutNeighbour(
            Rtm.NewNeighbour, NlmF.Create | NlmF.Append, Native.AF_BRIDGE, Neighbour.SelfFlag, new Neighbour(index, remote, address), "append forwarding entry");
    }

    /// <summary>Takes an entry, as it was dumped, from a VxLAN's forwarding database; one that is not there counts as taken.</summary>
    public void DeleteForwarding(Neighbour entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        PutNeighbour(Rtm.DeleteNeighbour, 0, Native.AF_BRIDGE, Neighbour.SelfFlag, entry, "delete forwarding entry", Errno.ENOENT);
    }

    private void PutNeighbour(
        ushort type, int flags, int family, byte neighbourFlags, Neighbour neighbour, string verb, int toleratedErrno = 0)
    {
        var writer = Begin(type, (ushort)flags, new NdMsg
        {
            Family = (byte)family,
            Index = neighbour.LinkIndex,
            State = (ushort)neighbour.State,
            Flags = neighbourFlags,
        });
        if (neighbour.Destination is { } destination)
            writer.Put(Nda.Destination, destination);
        if (neighbour.Address is { } address)
            writer.Put(Nda.LinkLayerAddress, address);
        if (neighbour.Via is { } via)
            writer.Put(Nda.Ifindex, via);
        End(writer, verb, neighbour, toleratedErrno);
    }
}
