using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>Rules C2 to C5: one entry of a TenantConfig's hostDevices.</summary>
internal static class TenantDeviceRules
{
    /// <summary>The entry's faults; their fields are its members.</summary>
    public static IEnumerable<NetworkFault> Check(TenantHostDevice? device)
    {
        if (device is null)
        {
            yield return new NetworkFault("", null, "must be an object with a name") { Rule = "C2" };
            yield break;
        }

        if (string.IsNullOrEmpty(device.Name))
            yield return new NetworkFault("name", null, "is missing") { Rule = "C2" };
        else if (IsPool(device) && !Names.IsPlain(device.Name, NetworkRules.MaxPoolLength, allowSlash: true))
            yield return new NetworkFault("name", device.Name, $"is no device pool such as vendor.io/resource of at most {NetworkRules.MaxPoolLength} letters, digits, '.', '_', '-', '/'") { Rule = "C2" };
        else if (!IsPool(device) && !Names.IsPlain(device.Name, Names.MaxInterfaceLength))
            yield return new NetworkFault("name", device.Name, Names.InterfaceRule) { Rule = "C2" };

        var (type, range) = (device.VniType, device.VniRange);
        if (string.IsNullOrEmpty(type) != string.IsNullOrEmpty(range))
            yield return new NetworkFault(string.IsNullOrEmpty(type) ? "vniType" : "vniRange", null, "is missing: vniType and vniRange need each other") { Rule = "C3" };
        if (string.IsNullOrEmpty(type))
            yield break;
        if (Vni.EncapsulationOf(type) is not { } encapsulation)
            yield return new NetworkFault("vniType", type, "must be vlan or vxlan") { Rule = "C4" };
        else if (!string.IsNullOrEmpty(range) && !VniRanges.TryParse(range, encapsulation, out _, out var why))
            yield return new NetworkFault("vniRange", range, why) { Rule = "C5" };
    }

    /// <summary>Whether the entry is a device pool's.</summary>
    public static bool IsPool(TenantHostDevice device) => device.Name?.Contains('/') == true;
}
