using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks.Admission;

/// <summary>
/// Pool members that hold what the old subnet's default was. Admission wrote them, not the author, so they move when the subnet does:
/// otherwise changing <c>cidr</c> alone would be an error.
/// </summary>
internal static class StalePools
{
    /// <summary>A copy of the subnets, routes and pools of an object, without such members.</summary>
    /// <param name="options">What is wanted.</param>
    /// <param name="old">What is stored; null on CREATE.</param>
    public static NetworkOptions WithoutStale(NetworkOptions options, NetworkOptions? old)
    {
        var copy = new NetworkOptions
        {
            Cidr = options.Cidr,
            Routes = options.Routes,
            AllocationPool = options.AllocationPool is { } pool ? new() { Start = pool.Start, End = pool.End, LastIp = pool.LastIp } : null,
            Net6 = options.Net6,
            Routes6 = options.Routes6,
            AllocationPoolV6 = options.AllocationPoolV6 is { } pool6
                ? new() { Start = pool6.Start, End = pool6.End, LastIp = pool6.LastIp, Cidr = pool6.Cidr }
                : null,
        };
        if (old is not null)
            Clear(copy, old);
        return copy;
    }

    private static void Clear(NetworkOptions options, NetworkOptions old)
    {
        if (options.AllocationPool is { } pool && NetworkRules.SubnetOf(old.Cidr, ipv6: false) is { } subnet && Moves(subnet, options.Cidr))
            ClearRange(pool, subnet);

        if (options.AllocationPoolV6 is not { } pool6 || NetworkRules.SubnetOf(old.Net6, ipv6: true) is not { } subnet6)
            return;
        if (Moves(subnet6, options.Net6) && NetworkRules.SubnetOf(pool6.Cidr, ipv6: true) == subnet6)
            pool6.Cidr = null;
        var within = NetworkRules.SubnetOf(old.AllocationPoolV6?.Cidr, ipv6: true) ?? subnet6;
        if (Moves(within, string.IsNullOrEmpty(pool6.Cidr) ? options.Net6 : pool6.Cidr))
            ClearRange(pool6, within);
    }

    private static void ClearRange(AllocationPool pool, CidrAddress old)
    {
        var (first, last) = AddressPool.DefaultRange(old);
        if (CidrAddress.TryParseAddress(pool.Start, out var start) && start.Equals(first))
            pool.Start = null;
        if (CidrAddress.TryParseAddress(pool.End, out var end) && end.Equals(last))
            pool.End = null;
    }

    // To another subnet or to none; a text that is no subnet moves nothing.
    private static bool Moves(CidrAddress old, string? text) =>
        string.IsNullOrEmpty(text) || (NetworkRules.SubnetOf(text, old.IsIPv6) is { } subnet && subnet != old);
}
