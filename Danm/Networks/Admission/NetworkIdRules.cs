using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>Rule 18: there is a NetworkID, and the host can name its interface after it.</summary>
internal static class NetworkIdRules
{
    /// <summary>What is left of an interface's 15 characters beside a dot and the four digits of a VLAN.</summary>
    public const int MaxDynamicLength = 10;

    public static List<NetworkFault> Check(Network network)
    {
        var (id, type) = (network.Spec.NetworkId, network.Spec.NetworkType);
        var encapsulation = ParentLink.EncapsulationOf(network.Spec.Options).Encapsulation;
        if (string.IsNullOrEmpty(id))
            return [new NetworkFault("spec.NetworkID", null, "is missing") { Rule = "18" }];
        if (encapsulation == Encapsulation.None)
            return [];
        if (NetworkTypes.IsDynamic(type) && id.Length > MaxDynamicLength)
        {
            return
            [
                new NetworkFault("spec.NetworkID", id, $"may have at most {MaxDynamicLength} characters beside a vlan or vxlan in a network of type {NetworkTypes.Of(type)}")
                {
                    Rule = "18",
                },
            ];
        }

        // Only with a host_device does the host get an interface; that of other types has the whole length.
        return string.IsNullOrEmpty(network.Spec.Options.HostDevice) || ParentLink.TryOf(network) is not null
            ? []
            : [new NetworkFault("spec.NetworkID", id, $"makes the host interface's name, which {Names.InterfaceRule}") { Rule = "18" }];
    }
}
