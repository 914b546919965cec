using System.Net;
using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.Ipam;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.FakeIpam;

/// <summary>What an interface gets of a network: an address of each family that the network has. Pure.</summary>
/// <param name="Network">The network.</param>
/// <param name="IPv4">Null: the network has no cidr.</param>
/// <param name="IPv6">Null: the network has no net6.</param>
internal sealed record AddressPlan(Network Network, FirstTries? IPv4, FirstTries? IPv6)
{
    /// <exception cref="CniException">The network cannot be used, does not allow the Pod, or cannot give what is asked.</exception>
    /// <exception cref="AddressException">An address that is asked for is outside the subnet or reserved.</exception>
    public static AddressPlan Make(Network network, IPAllocationOwner owner, string? podNamespace, RequestedAddresses wanted, string? nodeName)
    {
        if (NetworkReader.Refusal(network, podNamespace) is { } refusal)
            throw refusal;
        try
        {
            var (ipv4, ipv6) = (AddressPool.IPv4(network), AddressPool.IPv6(network));
            if (ipv4 is null && ipv6 is null)
                throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} has neither cidr nor net6, so there is no address that it could give: add one to spec.Options");
            return new AddressPlan(network, TriesFor(ipv4, wanted.IPv4, "cidr"), TriesFor(ipv6, wanted.IPv6, "net6"));
        }
        catch (NetworkFaultException e)
        {
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} cannot be used: {e.Message}", inner: e);
        }

        FirstTries? TriesFor(AddressPool? pool, IPAddress? address, string subnet)
        {
            if (pool is null)
                return address is null ? null : throw new CniException(CniErrorCode.InvalidAnnotation, $"{network.Ref} has no {subnet}, so it cannot give the address {address}: do not ask for it");
            var claim = new AddressClaim(network, Segment.Of(network), pool, address, owner, nodeName);
            AddressException.Check(claim);
            return AddressAllocator.Plan(claim);
        }
    }

    /// <summary>Whether these addresses are of the families and in the subnets that the plan is for, and those that are asked for.</summary>
    public bool IsMetBy(IReadOnlyList<CidrAddress> addresses)
    {
        return Meets(IPv4, ipv6: false) && Meets(IPv6, ipv6: true);

        bool Meets(FirstTries? tries, bool ipv6)
        {
            var given = addresses.Where(a => a.IsIPv6 == ipv6).ToList();
            if (tries is null || given is not [var address])
                return tries is null && given.Count == 0;
            var (pool, wanted) = (tries.Claim.Pool, tries.Claim.Static);
            return address.PrefixLength == pool.Subnet.PrefixLength && pool.Subnet.Contains(address.Address) && !pool.IsReserved(address.Address)
                && (wanted is null || wanted.Equals(address.Address));
        }
    }

    /// <summary>
    /// The result of an IPAM plugin (CNI specification 1.1.0, section 4, "Delegated Plugin IPAM"): no interfaces, and addresses without
    /// an index.
    /// </summary>
    public CniResult ToResult(IReadOnlyList<CidrAddress> addresses)
    {
        var options = Network.Spec.Options;
        List<GatewayRoute> routes =
        [
            .. IPv4 is null ? [] : GatewayRoute.ReadAll("spec.Options.routes", options.Routes, ipv6: false, []),
            .. IPv6 is null ? [] : GatewayRoute.ReadAll("spec.Options.routes6", options.Routes6, ipv6: true, []),
        ];
        return new CniResult
        {
            Ips = [.. addresses.Select(a => new CniIp(a, DefaultGateway(a.IsIPv6)))],
            Routes = [.. routes.Select(r => new CniRoute(r.Destination, r.Gateway))],
        };

        IPAddress? DefaultGateway(bool ipv6)
        {
            foreach (var route in routes)
            {
                if (route.Destination.PrefixLength == 0 && route.Destination.IsIPv6 == ipv6)
                    return route.Gateway;
            }

            return null;
        }
    }
}
