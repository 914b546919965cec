using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>What an update must not change: rules 5, 6, 21 and T2.</summary>
internal static class ChangeRules
{
    private const string TenantReason = " in a TenantNetwork";

    public static List<NetworkFault> Check(Network network, Network old)
    {
        var (options, before) = (network.Spec.Options, old.Spec.Options);
        var faults = new List<NetworkFault>();
        Compare(faults, "spec.Options.alloc", options.Alloc, before.Alloc, "must stay as it is: it is allocation state, not configuration", "5");
        Compare(faults, "spec.Options.alloc6", options.Alloc6, before.Alloc6, "must stay as it is: it is allocation state, not configuration", "6");
        if (network.Kind != NetworkKind.TenantNetwork)
            return faults;
        // Each came from the TenantConfig, or was judged by it.
        Stays(faults, "spec.Options.host_device", options.HostDevice, before.HostDevice, TenantReason, "T2");
        Stays(faults, "spec.Options.device_pool", options.DevicePool, before.DevicePool, TenantReason, "T2");
        Stays(faults, "spec.Options.vlan", Text(options.Vlan), Text(before.Vlan), TenantReason, "T2");
        Stays(faults, "spec.Options.vxlan", Text(options.Vxlan), Text(before.Vxlan), TenantReason, "T2");
        if (NetworkTypes.Of(network.Spec.NetworkType) != NetworkTypes.Of(old.Spec.NetworkType))
            Stays(faults, "spec.NetworkType", network.Spec.NetworkType, NetworkTypes.Of(old.Spec.NetworkType), TenantReason, "T2");
        return faults;
    }

    /// <summary>A TenantNetwork's NetworkID leads to an interface or a file of the node. One that was absent may be added.</summary>
    public static List<NetworkFault> CheckTenantsId(Network network, Network old)
    {
        var faults = new List<NetworkFault>();
        if (network.Kind == NetworkKind.TenantNetwork && !string.IsNullOrEmpty(old.Spec.NetworkId))
            Stays(faults, "spec.NetworkID", network.Spec.NetworkId, old.Spec.NetworkId, TenantReason, "T2");
        return faults;
    }

    public static List<NetworkFault> CheckConnected(Network network, Network old)
    {
        var (options, before) = (network.Spec.Options, old.Spec.Options);
        var faults = new List<NetworkFault>();
        Stays(faults, "spec.NetworkID", network.Spec.NetworkId, old.Spec.NetworkId, "", "21");
        Stays(faults, "spec.Options.host_device", options.HostDevice, before.HostDevice, "", "21");
        Stays(faults, "spec.Options.vlan", Text(options.Vlan), Text(before.Vlan), "", "21");
        Stays(faults, "spec.Options.vxlan", Text(options.Vxlan), Text(before.Vxlan), "", "21");
        return faults;
    }

    private static void Stays(List<NetworkFault> faults, string field, string? value, string? before, string reason, string rule) =>
        Compare(faults, field, value, before, $"must stay {(string.IsNullOrEmpty(before) ? "absent" : NetworkFault.Quote(before))}{reason}", rule);

    private static void Compare(List<NetworkFault> faults, string field, string? value, string? before, string message, string rule)
    {
        if ((value ?? "") != (before ?? ""))
            faults.Add(new NetworkFault(field, value, message) { Rule = rule });
    }

    private static string? Text(int? vni) => vni is null or 0 ? null : $"{vni}";
}
