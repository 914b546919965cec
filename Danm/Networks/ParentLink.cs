using Danm.Api;

namespace Danm.Networks;

/// <summary>How a network's frames are told from others on its device.</summary>
public enum Encapsulation
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>By an IEEE 802.1Q tag.</summary>
    Vlan,

    /// <summary>By a VxLAN header (RFC 7348).</summary>
    Vxlan,
}

/// <summary>The interface of the host that a network's Pod interfaces are children of.</summary>
/// <param name="Name">Its name: <c>NetworkID.vlan</c>, <c>vx_NetworkID</c>, or the host device itself.</param>
/// <param name="HostDevice">The device below it; the same as the name where nothing encapsulates.</param>
/// <param name="Encapsulation">What stands between the two.</param>
/// <param name="Vni">The VLAN or VxLAN id; 0 where nothing encapsulates.</param>
public sealed record ParentLink(string Name, string HostDevice, Encapsulation Encapsulation, int Vni)
{
    /// <summary>The parent that this network wants. If it has both a vlan and a vxlan, the latter counts, as in the original.</summary>
    /// <exception cref="NetworkFaultException">There is no host_device, or a name is none that an interface can have.</exception>
    public static ParentLink Of(Network network) => Read(network, out var fault) ?? throw new NetworkFaultException([fault!]);

    /// <summary>The same; null where <see cref="Of"/> throws.</summary>
    public static ParentLink? TryOf(Network network) => Read(network, out _);

    internal static (Encapsulation Encapsulation, int Vni) EncapsulationOf(NetworkOptions options) => options switch
    {
        { Vxlan: { } vxlan and not 0 } => (Encapsulation.Vxlan, vxlan),
        { Vlan: { } vlan and not 0 } => (Encapsulation.Vlan, vlan),
        _ => (Encapsulation.None, 0),
    };

    // Null exactly if there is a fault.
    private static ParentLink? Read(Network network, out NetworkFault? fault)
    {
        ArgumentNullException.ThrowIfNull(network);
        var (device, networkId) = (network.Spec.Options.HostDevice, network.Spec.NetworkId);
        var (encapsulation, vni) = EncapsulationOf(network.Spec.Options);
        fault = null;
        if (string.IsNullOrEmpty(device))
            fault = new NetworkFault("spec.Options.host_device", null, "is missing");
        else if (!Names.IsPlain(device, Names.MaxInterfaceLength))
            fault = new NetworkFault("spec.Options.host_device", device, Names.InterfaceRule);
        else if (encapsulation == Encapsulation.None)
            return new ParentLink(device, device, encapsulation, 0);
        else if (string.IsNullOrEmpty(networkId))
            fault = new NetworkFault("spec.NetworkID", null, "is missing");
        else if ((encapsulation == Encapsulation.Vlan ? $"{networkId}.{vni}" : $"vx_{networkId}") is var name
            && Names.IsPlain(networkId, Names.MaxInterfaceLength) && Names.IsPlain(name, Names.MaxInterfaceLength))
            return new ParentLink(name, device, encapsulation, vni);
        else
            fault = new NetworkFault("spec.NetworkID", networkId, $"makes the host interface's name, which {Names.InterfaceRule}");
        return null;
    }
}
