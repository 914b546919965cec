using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>
/// The rules for DanmNets, TenantNetworks and ClusterNetworks that look at nothing but the object and what it was before. Their numbers
/// are those of docs/network-rules.md. Nothing here throws, whatever the objects hold.
/// </summary>
public static class NetworkAdmission
{
    /// <summary>
    /// Judges an object as it was sent, before anything is filled in. What <see cref="NetworkDefaults.Apply"/> will compute anew
    /// on an update does not count as wrong. The NetworkID's presence and length are left to <see cref="CheckMutated"/>, for all kinds.
    /// </summary>
    /// <param name="network">What is wanted.</param>
    /// <param name="old">What is stored; null on CREATE.</param>
    public static Verdict Check(Network network, Network? old)
    {
        ArgumentNullException.ThrowIfNull(network);
        var verdict = Verdict.Of(
            [.. StandingFaults(network, old), .. old is null ? CreationRules.Check(network) : ChangeRules.Check(network, old)],
            old is null ? [] : StandingFaults(old, null));
        return verdict with { Warnings = [.. verdict.Warnings, .. NetworkWarnings.Of(network, old)] };
    }

    /// <summary>Judges what mutation may have set: the NetworkID, by rule 18 for all three kinds, and by T2 for TenantNetworks.</summary>
    /// <param name="network">What would be stored.</param>
    /// <param name="old">What is stored; null on CREATE.</param>
    public static Verdict CheckMutated(Network network, Network? old)
    {
        ArgumentNullException.ThrowIfNull(network);
        return old is null
            ? Verdict.Of(NetworkIdRules.Check(network), [])
            : Verdict.Of([.. NetworkIdRules.Check(network), .. ChangeRules.CheckTenantsId(network, old)], NetworkIdRules.Check(old));
    }

    /// <summary>
    /// Whether an update of a DanmNet or ClusterNetwork changes what connected Pods stand on (rule 21). For TenantNetworks it is never so:
    /// most of it they cannot change at all.
    /// </summary>
    /// <param name="network">What is wanted.</param>
    /// <param name="old">What is stored.</param>
    /// <param name="faults">What is wrong if Pods are connected, which the caller knows and says.</param>
    public static bool NeedsIdlePods(Network network, Network old, out List<NetworkFault> faults)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(old);
        faults = network.Kind == NetworkKind.TenantNetwork ? [] : ChangeRules.CheckConnected(network, old).ConvertAll(Verdict.Numbered);
        return faults.Count > 0;
    }

    private static List<NetworkFault> StandingFaults(Network network, Network? old)
    {
        var faults = NetworkRules.Check(network);
        // TenantNetworks have neither when they are made, and cannot change them: rules T1 and T2 say it better.
        if (network.Kind == NetworkKind.TenantNetwork)
            faults.RemoveAll(fault => fault.Rule == "17");
        PoolRules.Check(network.Spec.Options, old?.Spec.Options, faults);
        LinkRules.Check(network, faults);
        return faults;
    }
}
