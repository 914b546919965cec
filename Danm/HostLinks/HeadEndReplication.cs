using System.Net;
using Danm.Netlink;

namespace Danm.HostLinks;

/// <summary>Which other nodes get a copy of the frames that a VxLAN knows no receiver of, where the network has no multicast.</summary>
/// <param name="Link">The VxLAN.</param>
/// <param name="Added">Tunnel end points that it must also send to.</param>
/// <param name="Removed">Those that it must not send to any more; a multicast group too, if it was made with one.</param>
public sealed record HeadEndReplication(Link Link, IReadOnlyList<IPAddress> Added, IReadOnlyList<IPAddress> Removed)
{
    // What one system call carries; the kernel answers each.
    private const int Batch = 128;

    /// <summary>The difference between what there must be and what there is; null: none.</summary>
    /// <param name="link">The VxLAN.</param>
    /// <param name="remotes">The end points of all other nodes.</param>
    /// <param name="forwarding">The VxLAN's forwarding database; what it learnt is its own business.</param>
    /// <param name="isComplete">Whether all other nodes are known; if not, nothing is removed.</param>
    public static HeadEndReplication? Plan(Link link, IReadOnlySet<IPAddress> remotes, IEnumerable<Neighbour> forwarding, bool isComplete)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(remotes);
        var present = forwarding.Where(f => f.LinkIndex == link.Index && f.Address == MacAddress.Zero && f.Destination is not null).Select(f => f.Destination!).ToHashSet();
        var added = remotes.Where(r => !present.Contains(r)).ToList();
        var removed = isComplete ? present.Where(p => !remotes.Contains(p)).ToList() : [];
        return added.Count + removed.Count == 0 ? null : new HeadEndReplication(link, added, removed);
    }

    /// <summary>Does it.</summary>
    /// <exception cref="NetlinkException">The kernel refused some of it; the rest is done.</exception>
    public void Apply(RouteSocket host)
    {
        ArgumentNullException.ThrowIfNull(host);
        using var batch = host.NewBatch();
        foreach (var remote in Added)
            Put(() => batch.AppendForwarding(Link.Index, MacAddress.Zero, remote));
        foreach (var remote in Removed)
            Put(() => batch.DeleteForwarding(Link.Index, MacAddress.Zero, remote));
        if (batch.Count > 0)
            batch.Send();

        void Put(Action change)
        {
            change();
            if (batch.Count >= Batch)
                batch.Send();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"flood {Link.Name} to {Added.Count} nodes more and {Removed.Count} less";
}
