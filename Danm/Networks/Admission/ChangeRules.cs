using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>What an update must not change: rules 5, 6, 21 and T2.</summary>
internal static class ChangeRules
{
    public static List<NetworkFault> Check(Network network, Network old)
    {
        var (options, before) = (network.Spec.Options, old.Spec.Options);
        var faults = new List<NetworkFault>();
        Compare(faults, "spec.Options.alloc", options.Alloc, before.Alloc, "must stay as it is: it is allocation state, not configuration", "5");
        Compare(faults, "spec.Options.alloc6", options.Alloc6, before.Alloc6, "must stay as it is: it is allocation state, not configuration", "6");
        if (network.Kind != NetworkKind.TenantNetwork)
            return faults;
        // Each came from the TenantConfig, or was judged by it.
        const string Reason = "in a TenantNetwork";
        Stays(faults, "spec.Options.host_device", options.HostDevice, before.HostDevice, Reason, "T2");
        Stays(faults, "spec.Options.device_pool", options.DevicePool, before.DevicePool, Reason, "T2");
        Stays(faults, "spec.Options.vlan", Text(options.Vlan), Text(before.Vlan), Reason, "T2");
        Stays(faults, "spec.Options.vxlan", Text(options.Vxlan), Text(before.Vxlan), Reason, "T2");
        if (NetworkTypes.Of(network.Spec.NetworkType) != NetworkTypes.Of(old.Spec.NetworkType))
            Stays(faults, "spec.NetworkType", network.Spec.NetworkType, NetworkTypes.Of(old.Spec.NetworkType), Reason, "T2");
        return faults;
    }

    public static List<NetworkFault> CheckConnected(Network network, Network old)
    {
        var (options, before) = (network.Spec.Options, old.Spec.Options);
        var faults = new List<NetworkFault>();
        const string Reason = "while Pods are connected";
        Stays(faults, "spec.NetworkID", network.Spec.NetworkId, old.Spec.NetworkId, Reason, "21");
        Stays(faults, "spec.Options.host_device", options.HostDevice, before.HostDevice, Reason, "21");
        Stays(faults, "spec.Options.vlan", Text(options.Vlan), Text(before.Vlan), Reason, "21");
        Stays(faults, "spec.Options.vxlan", Text(options.Vxlan), Text(before.Vxlan), Reason, "21");
        return faults;
    }

    private static void Stays(List<NetworkFault> faults, string field, string? value, string? before, string reason, string rule) =>
        Compare(faults, field, value, before, $"must stay {(string.IsNullOrEmpty(before) ? "absent" : NetworkFault.Quote(before))} {reason}", rule);

    private static void Compare(List<NetworkFault> faults, string field, string? value, string? before, string message, string rule)
    {
        if ((value ?? "") != (before ?? ""))
            faults.Add(new NetworkFault(field, value, message) { Rule = rule });
    }

    private static string? Text(int? vni) => vni is null or 0 ? null : $"{vni}";
}
