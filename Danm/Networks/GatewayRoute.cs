using System.Net;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>A route as networks and annotations write it: <c>{"10.20.0.0/16": "10.0.0.1"}</c>.</summary>
/// <param name="Destination">Without host bits.</param>
/// <param name="Gateway">Of the same family.</param>
public readonly record struct GatewayRoute(CidrAddress Destination, IPAddress Gateway)
{
    /// <summary>Reads a map of destinations to gateways, all of one family; null reads as empty.</summary>
    /// <param name="field">The map's path, for faults.</param>
    /// <param name="routes">Untrusted.</param>
    /// <param name="ipv6">The family that destinations and gateways must have.</param>
    /// <param name="faults">Gets a fault for each entry that cannot be used; those are not in the result.</param>
    public static IReadOnlyList<GatewayRoute> ReadAll(
        string field, IReadOnlyCollection<KeyValuePair<string, string>>? routes, bool ipv6, ICollection<NetworkFault> faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        if (routes is null or { Count: 0 })
            return [];
        var result = new List<GatewayRoute>(routes.Count);
        var destinations = new HashSet<CidrAddress>();
        foreach (var (destination, gateway) in routes)
        {
            if (!CidrAddress.TryParse(destination, out var network) || network.IsIPv6 != ipv6)
                faults.Add(new NetworkFault(field, destination, ipv6 ? NetworkRules.IPv6SubnetRule : NetworkRules.IPv4SubnetRule));
            else if (!CidrAddress.TryParseAddress(gateway, out var address) || new CidrAddress(address, 0).IsIPv6 != ipv6)
                faults.Add(new NetworkFault($"{field}[{destination}]", gateway ?? "", ipv6 ? "must be an IPv6 address" : "must be an IPv4 address"));
            else if (!destinations.Add(network.Network))
                faults.Add(new NetworkFault(field, destination, "is the same destination as another entry"));
            else
                result.Add(new GatewayRoute(network.Network, address));
        }

        return result;
    }
}
