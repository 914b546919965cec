using Danm.Netlink;

namespace Danm.Ipvlan;

/// <summary>The interface that our own plugin gives to Pods: an IPVLAN child in L2 mode.</summary>
public static class IpvlanLink
{
    /// <summary>
    /// Makes the child in the Pod's namespace under its final name, in one message: at no moment is it in the host's namespace.
    /// </summary>
    /// <param name="host">A socket in the host's namespace.</param>
    /// <param name="parent">The host interface.</param>
    /// <param name="name">The name in the Pod.</param>
    /// <param name="mtu">The network's mtu; null: the parent's.</param>
    /// <param name="pod">The Pod's namespace.</param>
    /// <exception cref="NetlinkException">The kernel refused, as when the Pod has an interface of that name.</exception>
    public static void Add(RouteSocket host, Link parent, string name, int? mtu, NetworkNamespace pod)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(parent);
        host.AddLink(new LinkSpec(name, new LinkKind.Ipvlan())
        {
            ParentIndex = parent.Index,
            Mtu = mtu ?? parent.Mtu,
            Namespace = pod,
        });
    }
}
