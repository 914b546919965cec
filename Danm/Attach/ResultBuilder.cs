using System.Net;
using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.Attach;

/// <summary>Merges the interfaces into one result: the runtime's own first, then in the annotation's order (CNI spec, "Success").</summary>
internal static class ResultBuilder
{
    /// <param name="attached">The interfaces.</param>
    /// <param name="netns">The Pod's namespace.</param>
    /// <param name="previous">What plugins before this one in the runtime's list have made; it comes first and stays as it is.</param>
    public static CniResult Build(IReadOnlyList<AttachedInterface> attached, string netns, CniResult? previous = null)
    {
        List<CniInterface> interfaces = [.. previous?.Interfaces ?? []];
        List<CniIp> ips = [.. previous?.Ips ?? []];
        List<CniRoute> routes = [.. previous?.Routes ?? []];
        List<CniDns> dns = previous?.Dns is { } before ? [before] : [];
        foreach (var one in attached)
        {
            var link = new CniInterface(one.Attachment.Interface) { Mac = one.Link?.Address?.ToString(), Mtu = (uint?)one.Link?.Mtu, Sandbox = netns };
            var result = one.Result is { } answer
                ? DelegateResult.Complete(answer, one.Attachment.Interface, link)
                : new CniResult { Interfaces = [link], Ips = [.. one.Addresses.Select(a => new CniIp(a, null, 0))] };
            ips.AddRange(result.Ips.Select(i => i with { Interface = i.Interface + interfaces.Count, Gateway = i.Gateway ?? DefaultGateway(one, i.Address) }));
            interfaces.AddRange(result.Interfaces);
            routes.AddRange(result.Routes);
            if (result.Dns is { } settings)
                dns.Add(settings);
            if (one.Link is null)
                continue;
            routes.AddRange(one.Routes.Main.Select(r => new CniRoute(r.Destination, r.Gateway)));
            routes.AddRange(one.Routes.Policy.Select(r => new CniRoute(r.Destination, r.Gateway) { Table = one.Routes.Table }));
        }

        return new CniResult { Interfaces = interfaces, Ips = ips, Routes = routes, Dns = Merge(dns) };
    }

    // The first interface's settings come first, and what only one can say is its word.
    private static CniDns? Merge(List<CniDns> all) => all.Count == 0
        ? null
        : new CniDns
        {
            Nameservers = [.. all.SelectMany(d => d.Nameservers).Distinct()],
            Domain = all.Select(d => d.Domain).FirstOrDefault(d => d is not null),
            Search = [.. all.SelectMany(d => d.Search).Distinct()],
            Options = [.. all.SelectMany(d => d.Options).Distinct()],
        };

    private static IPAddress? DefaultGateway(AttachedInterface one, CidrAddress address)
    {
        foreach (var route in one.Routes.Main)
        {
            if (route.Destination.PrefixLength == 0 && route.Destination.IsIPv6 == address.IsIPv6)
                return route.Gateway;
        }

        return null;
    }
}
