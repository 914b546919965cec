using Danm.Netlink;

namespace Danm.HostLinks;

/// <summary>The interfaces of a host: what a <see cref="LinkPlan"/> is made from, and what its steps change.</summary>
internal interface IHostLinks
{
    /// <summary>All interfaces, and the indexes of those that have global addresses.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    (IReadOnlyList<Link> Links, IReadOnlySet<int> WithAddresses) Read();

    /// <summary>Does one step; to delete what is gone already is none.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    /// <exception cref="HostLinkException">The device is missing, or an interface of that name is something else.</exception>
    void Apply(LinkStep step);
}
