using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>
/// What a network object must keep to before a CNI call acts on it as root. The API server's schema and the webhook check the
/// same; each stands on its own, since objects may be older than either.
/// </summary>
public static class NetworkRules
{
    internal const string IPv4SubnetRule = "must be an IPv4 subnet such as 10.0.0.0/24";
    internal const string IPv6SubnetRule = "must be an IPv6 subnet such as fd00::/64";

    // A file name has 255 bytes, of which '.conflist' and a temporary name's end take some.
    internal const int MaxIdLength = 128;

    // The CRD's limits; whoever reads an object before its schema did bounds the work and the answer by them.
    internal const int MaxEntries = 256;

    // Prefix of 253, '/', name of 63: a qualified name.
    internal const int MaxPoolLength = 317;
    internal const string PlainRule = "may have letters, digits, '.', '_', '-', a letter or digit first, no '..'";

    /// <summary>All faults of the object; empty if there are none. Throws nothing.</summary>
    public static List<NetworkFault> Check(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var faults = new List<NetworkFault>();
        var spec = network.Spec;
        var options = spec.Options;
        CheckName(faults, "spec.NetworkID", spec.NetworkId, MaxIdLength);
        CheckName(faults, "spec.NetworkType", spec.NetworkType, MaxIdLength);
        CheckName(faults, "spec.Options.host_device", options.HostDevice, Names.MaxInterfaceLength);
        CheckName(faults, "spec.Options.container_prefix", options.ContainerPrefix, Names.MaxInterfaceLength);
        CheckName(faults, "spec.Options.device_pool", options.DevicePool, MaxPoolLength, allowSlash: true);
        CheckRange(faults, "spec.Options.vlan", options.Vlan, 1, 4094);
        CheckRange(faults, "spec.Options.vxlan", options.Vxlan, 1, 16777214);
        if (options is { Vlan: not (null or 0), Vxlan: not (null or 0) })
            faults.Add(new NetworkFault("spec.Options.vxlan", $"{options.Vxlan}", $"cannot stand beside vlan {options.Vlan}: remove one of them") { Rule = "17" });
        // Below 1280 (RFC 8200 section 5) the kernel turns IPv6 off.
        CheckRange(faults, "spec.Options.mtu", options.Mtu, string.IsNullOrEmpty(options.Net6) ? 68 : 1280, 65535);
        CheckRoutes(faults, ReadSubnet("spec.Options.cidr", options.Cidr, ipv6: false, "1", faults), "spec.Options.routes", options.Routes, ipv6: false, "2");
        CheckRoutes(faults, ReadSubnet("spec.Options.net6", options.Net6, ipv6: true, "3", faults), "spec.Options.routes6", options.Routes6, ipv6: true, "4");
        return faults;
    }

    private static void CheckName(List<NetworkFault> faults, string field, string? value, int maxLength, bool allowSlash = false)
    {
        if (!string.IsNullOrEmpty(value) && !Names.IsPlain(value, maxLength, allowSlash))
            faults.Add(new NetworkFault(field, value, $"{PlainRule}{(allowSlash ? ", and '/'" : "")}, at most {maxLength} characters"));
    }

    private static void CheckRange(List<NetworkFault> faults, string field, int? value, int least, int most)
    {
        if (value is not (null or 0) && (value < least || value > most))
            faults.Add(new NetworkFault(field, $"{value}", $"must be {least} to {most}"));
    }

    /// <summary>The subnet of a text, without host bits; null if it is empty, or a fault.</summary>
    internal static CidrAddress? ReadSubnet(string field, string? text, bool ipv6, string rule, List<NetworkFault> faults)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var subnet = SubnetOf(text, ipv6);
        if (subnet is null)
            faults.Add(new NetworkFault(field, text, ipv6 ? IPv6SubnetRule : IPv4SubnetRule) { Rule = rule });
        return subnet;
    }

    /// <summary>The subnet of a text, without host bits; null if it is none of this family.</summary>
    internal static CidrAddress? SubnetOf(string? text, bool ipv6) =>
        CidrAddress.TryParse(text, out var subnet) && subnet.IsIPv6 == ipv6 ? subnet.Network : null;

    private static void CheckRoutes(
        List<NetworkFault> faults, CidrAddress? subnet, string field, Dictionary<string, string>? routes, bool ipv6, string rule)
    {
        if (routes is { Count: > MaxEntries })
        {
            faults.Add(new NetworkFault(field, $"{routes.Count} entries", $"may have at most {MaxEntries}") { Rule = rule });
            return;
        }

        var found = new List<NetworkFault>();
        foreach (var route in GatewayRoute.ReadAll(field, routes, ipv6, found))
        {
            if (subnet is { } inside && !inside.Contains(route.Gateway))
                found.Add(new NetworkFault($"{field}[{route.Destination}]", $"{route.Gateway}", $"must lie inside {inside}"));
        }

        faults.AddRange(found.Select(fault => fault with { Rule = rule }));
    }
}
