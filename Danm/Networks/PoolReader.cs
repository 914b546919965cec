using System.Net;
using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>Reads a network's subnet and pool of one family, and finds every fault of them.</summary>
/// <param name="ipv6">Which family.</param>
/// <param name="faults">Gets what is wrong, each with its rule.</param>
internal sealed class PoolReader(bool ipv6, List<NetworkFault> faults)
{
    /// <summary>The path of the family's subnet.</summary>
    public string SubnetField => ipv6 ? "spec.Options.net6" : "spec.Options.cidr";

    /// <summary>The path of the family's pool.</summary>
    public string PoolField => ipv6 ? "spec.Options.allocation_pool_v6" : "spec.Options.allocation_pool";

    /// <summary>The pool; null if there is no subnet, or a fault.</summary>
    public AddressPool? Read(NetworkOptions options)
    {
        var text = ipv6 ? options.Net6 : options.Cidr;
        if (NetworkRules.ReadSubnet(SubnetField, text, ipv6, ipv6 ? "3" : "1", faults) is not { } subnet)
            return null;
        var range = ipv6 ? options.AllocationPoolV6 : options.AllocationPool;
        if (ReadWithin(subnet, (range as AllocationPoolV6)?.Cidr) is not { } within)
            return null;

        var count = faults.Count;
        var defaults = AddressPool.DefaultRange(within);
        var first = ReadMember("start", range?.Start, within, ipv6 ? "12" : "8") ?? defaults.First;
        var last = ReadMember("end", range?.End, within, ipv6 ? "13" : "9") ?? defaults.Last;
        if (faults.Count > count)
            return null;
        if (CidrAddress.ToValue(first) > CidrAddress.ToValue(last))
        {
            faults.Add(new NetworkFault($"{PoolField}.start", first.ToString(), $"must not come after the pool's end {last}") { Rule = ipv6 ? "14" : "10" });
            return null;
        }

        return new AddressPool(subnet, first, last, (ipv6 ? options.Routes6 : options.Routes)?.Values ?? (IEnumerable<string>)[]);
    }

    private CidrAddress? ReadWithin(CidrAddress subnet, string? poolCidr)
    {
        if (string.IsNullOrEmpty(poolCidr))
            return subnet;
        var within = NetworkRules.ReadSubnet($"{PoolField}.cidr", poolCidr, ipv6, "15", faults);
        if (within is not { } found || subnet.Contains(found))
            return within;
        faults.Add(new NetworkFault($"{PoolField}.cidr", poolCidr, $"must lie inside {subnet}") { Rule = "15" });
        return null;
    }

    private IPAddress? ReadMember(string member, string? text, CidrAddress within, string rule)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (CidrAddress.TryParseAddress(text, out var address) && within.Contains(address))
            return address;
        faults.Add(new NetworkFault($"{PoolField}.{member}", text, $"must be an address inside {within}") { Rule = rule });
        return null;
    }
}
