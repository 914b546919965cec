using System.Net.Sockets;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.Attach;

/// <summary>
/// What every interface gets inside the Pod, whoever made it: IPv6 switches, addresses, up, routes, policy routes, announcements. One
/// visit to the namespace opens the sockets and writes the switches; one message sets all the rest.
/// </summary>
/// <param name="Name">The interface.</param>
/// <param name="IPv6">Whether it is to speak IPv6: something was asked, or came.</param>
/// <param name="Addresses">Its addresses.</param>
/// <param name="Routes">Its routes.</param>
internal sealed record PodInterface(string Name, bool IPv6, IReadOnlyList<CidrAddress> Addresses, RoutePlan Routes)
{
    private const int Enoent = 2;

    /// <summary>
    /// Whether a delegate made it: then it has its addresses, and may not be there at all, as with plugins of user-space networks.
    /// </summary>
    public bool IsDelegated { get; init; }

    /// <summary>Sets it up.</summary>
    /// <returns>The interface; null if a delegate made none of that name.</returns>
    /// <exception cref="CniException">Code 109: the kernel has no such switch, or the interface is gone.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public Link? Configure(NetworkNamespace pod)
    {
        using var visit = pod.Visit(VisitSockets.Route | VisitSockets.Packet, Switches());
        if (visit.Route.GetLink(Name) is not { } link)
            return IsDelegated ? null : throw new CniException(CniErrorCode.KernelRefused, $"interface \"{Name}\" vanished while it was being set up");
        foreach (var failure in visit.SysctlFailures)
        {
            // A kernel without IPv6 has no such switch, and needs none to keep it off.
            if (IPv6 || failure.Errno != Enoent)
                throw new CniException(CniErrorCode.KernelRefused, $"the kernel refused to {failure}");
        }

        using (var batch = visit.Route.NewBatch())
        {
            if (IsDelegated)
            {
                EndDetection(visit.Route, link, batch);
            }
            else
            {
                foreach (var address in Addresses)
                    batch.AddAddress(link.Index, address, noDad: address.IsIPv6);
            }

            batch.SetLink(link.Index, new LinkChange { Up = true });
            foreach (var route in Routes.Main)
                batch.AddRoute(new Route(route.Destination) { Gateway = route.Gateway, LinkIndex = link.Index });
            foreach (var route in Routes.Policy)
                batch.AddRoute(new Route(route.Destination) { Gateway = route.Gateway, LinkIndex = link.Index, Table = Routes.Table });
            foreach (var address in Addresses)
            {
                if (Routes.Policy.Any(r => r.Destination.IsIPv6 == address.IsIPv6))
                    batch.AddRule(new Rule(address.Host, Routes.Table));
            }

            batch.Send();
        }

        if (!IsDelegated)
            Announce(visit.Packet, link);
        return link;
    }

    // A delegate's IPv6 address may be in duplicate address detection, which nothing but its removal ends. Whether the plugin has taken
    // the subnet's route away (ptp leads it through its gateway) is kept.
    private static void EndDetection(RouteSocket pod, Link link, RouteBatch batch)
    {
        var tentative = pod.DumpAddresses(link.Index).Where(a => a is { Address.IsIPv6: true, Scope: RouteScope.Universe } && a.Flags.HasFlag(AddressFlags.Tentative)).ToList();
        if (tentative.Count == 0)
            return;
        var onLink = pod.DumpRoutes(Route.MainTable, link.Index).Where(r => r.Gateway is null).Select(r => r.Destination).ToHashSet();
        foreach (var (_, address, _, _) in tentative)
        {
            batch.DeleteAddress(link.Index, address);
            batch.AddAddress(link.Index, address, noDad: true, noPrefixRoute: !onLink.Contains(address.Network));
        }
    }

    // The order matters: no address may be autoconfigured in the moment between IPv6 on and autoconfiguration off.
    private Sysctl[] Switches()
    {
        return IPv6
            ? [Switch("autoconf", "0"), Switch("accept_ra", "0"), Switch("ndisc_notify", "1"), Switch("disable_ipv6", "0")]
            : [Switch("disable_ipv6", "1")];

        Sysctl Switch(string parameter, string value) => Sysctl.OfInterface(AddressFamily.InterNetworkV6, Name, parameter, value);
    }

    // Neighbours that remember the address's former holder learn the new one; who misses it asks again soon enough.
    private void Announce(PacketSocket socket, Link link)
    {
        if (link.Address is not { } mac)
            return;
        foreach (var address in Addresses)
        {
            try
            {
                NeighbourAnnouncement.Send(socket, link.Index, mac, address.Address);
            }
            catch (NetlinkException)
            {
                return;
            }
        }
    }
}
