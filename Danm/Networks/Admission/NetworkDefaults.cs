using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks.Admission;

/// <summary>What admission writes into a network, so that the stored object says what is really done.</summary>
public static class NetworkDefaults
{
    /// <summary>
    /// Sets the empty NetworkType to <c>ipvlan</c> and fills the members of pools that are absent, as <see cref="AddressPool"/> would understand them.
    /// On an update, members that hold the old subnet's default are computed anew. What cannot be understood stays as it is;
    /// nothing is thrown. Applied twice, it does what it does once.
    /// </summary>
    /// <param name="network">Changed in place.</param>
    /// <param name="old">What is stored; null on CREATE.</param>
    public static void Apply(Network network, Network? old)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (string.IsNullOrEmpty(network.Spec.NetworkType))
            network.Spec.NetworkType = NetworkTypes.Ipvlan;
        var options = network.Spec.Options;
        var moved = StalePools.WithoutStale(options, old?.Spec.Options);
        if (NetworkRules.SubnetOf(options.Cidr, ipv6: false) is { } subnet)
        {
            moved.AllocationPool ??= new AllocationPool();
            Fill(moved.AllocationPool, subnet);
        }

        if (NetworkRules.SubnetOf(options.Net6, ipv6: true) is { } subnet6)
        {
            var pool = moved.AllocationPoolV6 ??= new AllocationPoolV6();
            if (string.IsNullOrEmpty(pool.Cidr))
                pool.Cidr = subnet6.ToString();
            if (NetworkRules.SubnetOf(pool.Cidr, ipv6: true) is { } within && subnet6.Contains(within))
                Fill(pool, within);
        }

        options.AllocationPool = IsEmptied(moved.AllocationPool, options.AllocationPool) ? null : moved.AllocationPool;
        options.AllocationPoolV6 = IsEmptied(moved.AllocationPoolV6, options.AllocationPoolV6) ? null : moved.AllocationPoolV6;
    }

    private static void Fill(AllocationPool pool, CidrAddress within)
    {
        var (first, last) = AddressPool.DefaultRange(within);
        if (string.IsNullOrEmpty(pool.Start))
            pool.Start = first.ToString();
        if (string.IsNullOrEmpty(pool.End))
            pool.End = last.ToString();
    }

    // A pool that went with its subnet; one that was sent empty stays.
    private static bool IsEmptied(AllocationPool? pool, AllocationPool? sent) => IsEmpty(pool) && !IsEmpty(sent);

    private static bool IsEmpty(AllocationPool? pool) =>
        pool is null || (string.IsNullOrEmpty(pool.Start) && string.IsNullOrEmpty(pool.End) && string.IsNullOrEmpty(pool.LastIp)
            && string.IsNullOrEmpty((pool as AllocationPoolV6)?.Cidr));
}
