using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>What a new network must not bring: rules 5, 6 and T1.</summary>
internal static class CreationRules
{
    public static List<NetworkFault> Check(Network network)
    {
        var options = network.Spec.Options;
        var faults = new List<NetworkFault>();
        if (!string.IsNullOrEmpty(options.Alloc))
            faults.Add(new NetworkFault("spec.Options.alloc", options.Alloc, "is allocation state, not configuration: leave it out") { Rule = "5" });
        if (!string.IsNullOrEmpty(options.Alloc6))
            faults.Add(new NetworkFault("spec.Options.alloc6", options.Alloc6, "is allocation state, not configuration: leave it out") { Rule = "6" });
        if (network.Kind == NetworkKind.TenantNetwork)
        {
            foreach (var (field, vni) in ((string, int?)[])[("vlan", options.Vlan), ("vxlan", options.Vxlan)])
            {
                if (vni is not (null or 0))
                    faults.Add(new NetworkFault($"spec.Options.{field}", $"{vni}", "is chosen from the TenantConfig for TenantNetworks: leave it out") { Rule = "T1" });
            }
        }

        return faults;
    }
}
