using System.Net;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.Attach;

/// <summary>Merges the interfaces into one result: the runtime's own first, then in the annotation's order (CNI spec, "Success").</summary>
internal static class ResultBuilder
{
    public static CniResult Build(IReadOnlyList<AttachedInterface> attached, string netns)
    {
        var interfaces = new List<CniInterface>();
        var ips = new List<CniIp>();
        var routes = new List<CniRoute>();
        foreach (var (attachment, addresses, link) in attached)
        {
            foreach (var address in addresses)
                ips.Add(new CniIp(address, DefaultGateway(attachment, address), interfaces.Count));
            routes.AddRange(attachment.Routes.Select(r => new CniRoute(r.Destination, r.Gateway)));
            routes.AddRange(attachment.PolicyRoutes.Select(r => new CniRoute(r.Destination, r.Gateway) { Table = attachment.Table }));
            interfaces.Add(new CniInterface(attachment.Interface) { Mac = link.Address?.ToString(), Mtu = (uint)link.Mtu, Sandbox = netns });
        }

        return new CniResult { Interfaces = interfaces, Ips = ips, Routes = routes };
    }

    private static IPAddress? DefaultGateway(Attachment attachment, CidrAddress address)
    {
        foreach (var route in attachment.Routes)
        {
            if (route.Destination.PrefixLength == 0 && route.Destination.IsIPv6 == address.IsIPv6)
                return route.Gateway;
        }

        return null;
    }
}
