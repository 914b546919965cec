using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>Picks from a TenantConfig what a new TenantNetwork gets.</summary>
public static class TenantProfiles
{
    private const int MaxListed = 10;

    /// <summary>
    /// What may be granted, the first choice first: for ipvlan, macvlan and sriov the first entry whose name is the device_pool (with a
    /// <c>/</c>) or host_device (without one) asked for, or else the sound ones without a <c>/</c> in random order, since the ids of the first may
    /// be exhausted; for every type the NetworkID of networkIds.
    /// </summary>
    /// <param name="config">May be older than the rules: its faults name it.</param>
    /// <param name="tenantNetwork">As it was sent.</param>
    /// <param name="random">Orders where the tenant does not choose.</param>
    /// <param name="faults">Gets why nothing is granted.</param>
    /// <returns>Empty if there is a fault.</returns>
    public static IReadOnlyList<TenantGrant> Choose(TenantConfig config, Network tenantNetwork, Random random, List<NetworkFault> faults)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tenantNetwork);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(faults);
        var count = faults.Count;
        var nameOnly = new TenantGrant(NetworkIdOf(config, tenantNetwork.Spec.NetworkType, faults), null, null, null);
        List<TenantGrant> grants = NetworkTypes.IsDynamic(tenantNetwork.Spec.NetworkType)
            ? ChooseDevices(config, tenantNetwork.Spec.Options, random, faults).ConvertAll(device => Grant(nameOnly, device))
            : [nameOnly];
        return faults.Count > count ? [] : grants;
    }

    /// <summary>The NetworkID that networkIds has for a type, without case; the exact spelling first, then in ordinal order.</summary>
    /// <param name="config">May be older than the rules.</param>
    /// <param name="networkType">As a network spells it; empty is ipvlan.</param>
    /// <param name="faults">Gets a fault if it is none that an interface or a file can be called by.</param>
    /// <returns>Null if there is none, or a fault.</returns>
    public static string? NetworkIdOf(TenantConfig config, string? networkType, List<NetworkFault> faults)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(faults);
        var type = NetworkTypes.Of(networkType);
        var entry = (config.NetworkIds ?? []).Where(pair => pair.Key.Equals(type, StringComparison.OrdinalIgnoreCase))
            .OrderBy(pair => pair.Key != type).ThenBy(pair => pair.Key, StringComparer.Ordinal).FirstOrDefault();
        if (entry.Key is null)
            return null;
        if (NetworkIdMapRules.CheckValue(entry.Key, entry.Value) is not { } fault)
            return entry.Value;
        faults.Add(InConfig(config, fault));
        return null;
    }

    private static TenantGrant Grant(TenantGrant grant, TenantHostDevice device)
    {
        grant = TenantDeviceRules.IsPool(device) ? grant with { DevicePool = device.Name } : grant with { HostDevice = device.Name };
        return !string.IsNullOrEmpty(device.VniType) && Vni.EncapsulationOf(device.VniType) is { } encapsulation
            && VniRanges.TryParse(device.VniRange, encapsulation, out var ranges, out _)
            ? grant with { Vnis = new TenantVnis(device.Name!, encapsulation, ranges) }
            : grant;
    }

    private static List<TenantHostDevice> ChooseDevices(TenantConfig config, NetworkOptions options, Random random, List<NetworkFault> faults)
    {
        var entries = (config.HostDevices ?? []).Select((device, index) => (Device: device, Index: index)).Where(entry => !string.IsNullOrEmpty(entry.Device?.Name)).ToList();
        var (asked, wantsPool) = string.IsNullOrEmpty(options.DevicePool) ? (options.HostDevice, false) : (options.DevicePool, true);
        var field = wantsPool ? "spec.Options.device_pool" : "spec.Options.host_device";
        var suitable = entries.FindAll(entry => TenantDeviceRules.IsPool(entry.Device) == wantsPool);
        if (string.IsNullOrEmpty(asked))
        {
            var sound = suitable.Select(entry => entry.Device).Where(device => !TenantDeviceRules.Check(device).Any()).DistinctBy(device => device.Name).ToArray();
            random.Shuffle(sound);
            if (sound.Length > 0)
                return [.. sound];
            if (suitable.Count == 0)
                faults.Add(new NetworkFault(field, null, $"is missing, and the TenantConfig {Shown(config)} has no host device to choose from{OrPools(entries)}") { Rule = "T3" });
        }
        else
        {
            suitable.RemoveAll(entry => entry.Device.Name != asked);
            if (suitable.Count == 0)
            {
                var allowed = List(entries.Where(entry => TenantDeviceRules.IsPool(entry.Device) == wantsPool));
                faults.Add(new NetworkFault(field, asked, $"is not for tenants: the TenantConfig {Shown(config)} allows {allowed}") { Rule = "T3" });
            }
        }

        if (suitable.Count == 0)
            return [];
        var (device, index) = suitable[0];
        var broken = TenantDeviceRules.Check(device).ToList();
        faults.AddRange(broken.Select(fault => InConfig(config, fault with { Field = $"hostDevices[{index}].{fault.Field}" })));
        return broken.Count == 0 ? [device] : [];
    }

    private static NetworkFault InConfig(TenantConfig config, NetworkFault fault) =>
        fault with { Field = $"TenantConfig/{config.Metadata.Name} {fault.Field}" };

    private static string OrPools(List<(TenantHostDevice Device, int Index)> entries) =>
        entries.Exists(entry => TenantDeviceRules.IsPool(entry.Device)) ? $"; device_pool may be {List(entries)}" : "";

    private static string List(IEnumerable<(TenantHostDevice Device, int Index)> entries)
    {
        var names = entries.Select(entry => entry.Device.Name!).Distinct().ToList();
        var more = names.Count > MaxListed ? $" and {names.Count - MaxListed} more" : "";
        return names.Count == 0 ? "none" : string.Join(", ", names.Take(MaxListed).Select(NetworkFault.Quote)) + more;
    }

    private static string Shown(TenantConfig config) => NetworkFault.Quote(config.Metadata.Name ?? "");
}
