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
    public static ParentLink Of(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        if (string.IsNullOrEmpty(options.HostDevice))
            throw new NetworkFaultException("spec.Options.host_device", null, "is missing");
        var device = Names.RequireInterface("spec.Options.host_device", options.HostDevice);
        var (encapsulation, vni) = EncapsulationOf(options);
        return encapsulation == Encapsulation.None
            ? new ParentLink(device, device, encapsulation, 0)
            : new ParentLink(NameOf(network.Spec.NetworkId, encapsulation, vni), device, encapsulation, vni);
    }

    internal static (Encapsulation Encapsulation, int Vni) EncapsulationOf(NetworkOptions options) => options switch
    {
        { Vxlan: { } vxlan and not 0 } => (Encapsulation.Vxlan, vxlan),
        { Vlan: { } vlan and not 0 } => (Encapsulation.Vlan, vlan),
        _ => (Encapsulation.None, 0),
    };

    private static string NameOf(string? networkId, Encapsulation encapsulation, int vni)
    {
        if (string.IsNullOrEmpty(networkId))
            throw new NetworkFaultException("spec.NetworkID", null, "is missing");
        var name = encapsulation == Encapsulation.Vlan ? $"{networkId}.{vni}" : $"vx_{networkId}";
        return Names.IsPlain(networkId, Names.MaxInterfaceLength) && Names.IsPlain(name, Names.MaxInterfaceLength)
            ? name
            : throw new NetworkFaultException("spec.NetworkID", networkId, $"makes the host interface's name, which {Names.InterfaceRule}");
    }
}
