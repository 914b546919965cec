using Danm.Netlink;

namespace Danm.HostLinks;

/// <summary>The interfaces of a network namespace.</summary>
/// <param name="open">Gives a socket in that namespace.</param>
/// <param name="multicast">Whether VxLANs flood to multicast groups.</param>
internal sealed class KernelLinks(Func<RouteSocket> open, bool multicast) : IHostLinks
{
    /// <inheritdoc/>
    public (IReadOnlyList<Link> Links, IReadOnlySet<int> WithAddresses) Read()
    {
        using var socket = open();
        var withAddresses = socket.DumpAddresses().Where(a => a.Scope == RouteScope.Universe).Select(a => a.LinkIndex).ToHashSet();
        return (socket.DumpLinks(), withAddresses);
    }

    /// <inheritdoc/>
    public void Apply(LinkStep step)
    {
        using var socket = open();
        switch (step)
        {
            case LinkStep.Delete delete:
                socket.DeleteLink(delete.Link.Index);
                break;
            case LinkStep.Make make:
                HostLink.Ensure(socket, make.Wanted.Parent, make.Wanted.Mtu, multicast);
                break;
            case LinkStep.Adopt adopt:
                socket.SetLink(adopt.Link.Index, new LinkChange { Alias = LinkPlan.AdoptedPrefix + HostLink.Describe(adopt.Wanted.Parent) });
                break;
            case LinkStep.Change change:
                socket.SetLink(change.Link.Index, new LinkChange { Mtu = change.Mtu, Up = change.Up });
                break;
        }
    }
}
