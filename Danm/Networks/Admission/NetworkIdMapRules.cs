namespace Danm.Networks.Admission;

/// <summary>Rules C7 and C8: a TenantConfig's networkIds.</summary>
internal static class NetworkIdMapRules
{
    public static IEnumerable<NetworkFault> Check(Dictionary<string, string>? networkIds)
    {
        foreach (var (type, id) in networkIds ?? [])
        {
            if (!Names.IsPlain(type, NetworkRules.MaxIdLength))
                yield return new NetworkFault("networkIds", type, $"is no NetworkType: {NetworkRules.PlainRule}, 1 to {NetworkRules.MaxIdLength} characters") { Rule = "C7" };
            if (CheckValue(type, id) is { } fault)
                yield return fault;
        }
    }

    /// <summary>What is wrong with a NetworkID that TenantNetworks of a type are to have; null if nothing is.</summary>
    public static NetworkFault? CheckValue(string type, string? id)
    {
        if (!Names.IsPlain(id, NetworkRules.MaxIdLength))
            return new NetworkFault($"networkIds[{type}]", id ?? "", $"is no NetworkID: {NetworkRules.PlainRule}, 1 to {NetworkRules.MaxIdLength} characters") { Rule = "C7" };
        return NetworkTypes.IsDynamic(type) && id!.Length > NetworkIdRules.MaxDynamicLength
            ? new NetworkFault($"networkIds[{type}]", id, $"may have at most {NetworkIdRules.MaxDynamicLength} characters for ipvlan, macvlan and sriov") { Rule = "C8" }
            : null;
    }
}
