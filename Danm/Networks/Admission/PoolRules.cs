using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>Rules 7 to 15, and that routes need a subnet (2, 4).</summary>
internal static class PoolRules
{
    public static void Check(NetworkOptions options, NetworkOptions? old, List<NetworkFault> faults)
    {
        // A pool that only says what the subnet's default was moves with the subnet, so it cannot lie outside.
        var moved = StalePools.WithoutStale(options, old);
        Check(new PoolReader(ipv6: false, faults), moved, moved.AllocationPool, null, options.Cidr, "7", faults);
        Check(new PoolReader(ipv6: true, faults), moved, moved.AllocationPoolV6, moved.AllocationPoolV6?.Cidr, options.Net6, "11", faults);
        if (string.IsNullOrEmpty(options.Cidr) && options.Routes is { Count: > 0 })
            faults.Add(new NetworkFault("spec.Options.routes", null, "needs a cidr that has the gateways") { Rule = "2" });
        if (string.IsNullOrEmpty(options.Net6) && options.Routes6 is { Count: > 0 })
            faults.Add(new NetworkFault("spec.Options.routes6", null, "needs a net6 that has the gateways") { Rule = "4" });
    }

    private static void Check(
        PoolReader reader, NetworkOptions options, AllocationPool? pool, string? poolCidr, string? subnet, string rule, List<NetworkFault> faults)
    {
        if (!string.IsNullOrEmpty(subnet))
        {
            reader.Read(options);
            return;
        }

        foreach (var (member, value) in ((string, string?)[])[("start", pool?.Start), ("end", pool?.End), ("cidr", poolCidr)])
        {
            if (!string.IsNullOrEmpty(value))
                faults.Add(new NetworkFault($"{reader.PoolField}.{member}", value, $"needs {reader.SubnetField}") { Rule = rule });
        }
    }
}
