using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>Rules 19 and 20: for whom the network is, and which device it stands on.</summary>
internal static class LinkRules
{
    public static void Check(Network network, List<NetworkFault> faults)
    {
        var (spec, options) = (network.Spec, network.Spec.Options);
        if (network.Kind != NetworkKind.ClusterNetwork && spec.AllowedTenants is { } tenants)
        {
            faults.Add(new NetworkFault("spec.AllowedTenants", $"[{string.Join(", ", tenants)}]", "is for ClusterNetworks only: leave it out")
            {
                Rule = "19",
            });
        }

        var (hasDevice, hasPool) = (!string.IsNullOrEmpty(options.HostDevice), !string.IsNullOrEmpty(options.DevicePool));
        if (NetworkTypes.Of(spec.NetworkType) == NetworkTypes.Sriov)
        {
            if (!hasPool)
                faults.Add(new NetworkFault("spec.Options.device_pool", null, "is missing: the devices of sriov networks come from a pool") { Rule = "20" });
            if (hasDevice)
                faults.Add(new NetworkFault("spec.Options.host_device", options.HostDevice, "cannot stand in an sriov network: leave it out") { Rule = "20" });
        }
        else if (hasDevice && hasPool)
        {
            faults.Add(new NetworkFault(
                "spec.Options.host_device", options.HostDevice, $"cannot stand beside device_pool {NetworkFault.Quote(options.DevicePool!)}: remove one of them")
            {
                Rule = "20",
            });
        }
    }
}
