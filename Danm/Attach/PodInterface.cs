using System.Net.Sockets;
using Danm.Cni;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Attach;

/// <summary>
/// What every interface gets inside the Pod, whoever made it: IPv6 switches, addresses, up, routes, policy routes, announcements. One
/// visit to the namespace opens the sockets and writes the switches; one message sets all the rest.
/// </summary>
internal static class PodInterface
{
    private const int Enoent = 2;

    public static Link Configure(NetworkNamespace pod, Attachment attachment, IReadOnlyList<CidrAddress> addresses)
    {
        using var visit = pod.Visit(VisitSockets.Route | VisitSockets.Packet, Switches(attachment));
        var wantsIPv6 = attachment.Request.IPv6.Kind != IPRequestKind.NotAsked;
        foreach (var failure in visit.SysctlFailures)
        {
            // A kernel without IPv6 has no such switch, and needs none to keep it off.
            if (wantsIPv6 || failure.Errno != Enoent)
                throw new CniException(CniErrorCode.KernelRefused, $"the kernel refused to {failure}");
        }

        var link = visit.Route.GetLink(attachment.Interface)
            ?? throw new CniException(CniErrorCode.KernelRefused, $"interface \"{attachment.Interface}\" vanished while it was being set up");
        using (var batch = visit.Route.NewBatch())
        {
            foreach (var address in addresses)
                batch.AddAddress(link.Index, address, noDad: address.IsIPv6);
            batch.SetLink(link.Index, new LinkChange { Up = true });
            foreach (var route in attachment.Routes)
                batch.AddRoute(new Route(route.Destination) { Gateway = route.Gateway, LinkIndex = link.Index });
            foreach (var route in attachment.PolicyRoutes)
                batch.AddRoute(new Route(route.Destination) { Gateway = route.Gateway, LinkIndex = link.Index, Table = attachment.Table });
            foreach (var address in addresses)
            {
                if (attachment.PolicyRoutes.Any(r => r.Destination.IsIPv6 == address.IsIPv6))
                    batch.AddRule(new Rule(address.Host, attachment.Table));
            }

            batch.Send();
        }

        Announce(visit.Packet, link, addresses);
        return link;
    }

    // The order matters: no address may be autoconfigured in the moment between IPv6 on and autoconfiguration off.
    private static Sysctl[] Switches(Attachment attachment)
    {
        var name = attachment.Interface;
        if (attachment.Request.IPv6.Kind == IPRequestKind.NotAsked)
            return [Switch("disable_ipv6", "1")];
        return [Switch("autoconf", "0"), Switch("accept_ra", "0"), Switch("ndisc_notify", "1"), Switch("disable_ipv6", "0")];

        Sysctl Switch(string parameter, string value) => Sysctl.OfInterface(AddressFamily.InterNetworkV6, name, parameter, value);
    }

    // Neighbours that remember the address's former holder learn the new one; who misses it asks again soon enough.
    private static void Announce(PacketSocket socket, Link link, IReadOnlyList<CidrAddress> addresses)
    {
        if (link.Address is not { } mac)
            return;
        foreach (var address in addresses)
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
