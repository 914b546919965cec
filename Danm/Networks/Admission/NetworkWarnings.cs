using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>What is allowed but seldom meant, as far as one network alone shows it.</summary>
internal static class NetworkWarnings
{
    /// <param name="network">What is wanted.</param>
    /// <param name="old">What is stored; null on CREATE. An update is warned of what it brings, not of what was there.</param>
    public static IEnumerable<string> Of(Network network, Network? old)
    {
        var options = network.Spec.Options;
        if (LacksSubnet(network) && (old is null || !LacksSubnet(old)))
        {
            yield return "spec.Options has neither cidr nor net6: interfaces get no address, and container runtimes refuse a Pod whose first interface has none";
        }

        if (LacksDevice(network) && (old is null || !LacksDevice(old)))
            yield return "spec.Options has neither host_device nor device_pool: Pods cannot be attached";
        if (old is not null)
            yield break;
        if (!string.IsNullOrEmpty(options.AllocationPool?.LastIp))
            yield return "spec.Options.allocation_pool.lastIp is a field of earlier releases without meaning: leave it out";
        if (!string.IsNullOrEmpty(options.AllocationPoolV6?.LastIp))
            yield return "spec.Options.allocation_pool_v6.lastIp is a field of earlier releases without meaning: leave it out";
    }

    // A static type's addresses may come from its own file.
    private static bool LacksSubnet(Network network) =>
        NetworkTypes.IsDynamic(network.Spec.NetworkType) && string.IsNullOrEmpty(network.Spec.Options.Cidr) && string.IsNullOrEmpty(network.Spec.Options.Net6);

    // A TenantNetwork gets its device later; an sriov network without its pool is denied.
    private static bool LacksDevice(Network network) =>
        network.Kind != NetworkKind.TenantNetwork && NetworkTypes.Of(network.Spec.NetworkType) is NetworkTypes.Ipvlan or NetworkTypes.Macvlan
        && string.IsNullOrEmpty(network.Spec.Options.HostDevice) && string.IsNullOrEmpty(network.Spec.Options.DevicePool);
}
