using Danm.Api;

namespace Danm.Networks;

/// <summary>A VLAN or VxLAN id on a device: what two networks must not share without knowing of each other.</summary>
/// <param name="Device">A host device, or a device pool if it holds a <c>/</c>.</param>
/// <param name="Encapsulation">VLAN or VxLAN.</param>
/// <param name="Id">1 to 4094, resp. 1 to 16777214.</param>
public sealed record Vni(string Device, Encapsulation Encapsulation, int Id)
{
    /// <summary>The spellings of <c>vniType</c>.</summary>
    public const string VlanType = "vlan", VxlanType = "vxlan";

    /// <summary>The <c>vniType</c> of it.</summary>
    public string Type => Encapsulation == Encapsulation.Vlan ? VlanType : VxlanType;

    /// <summary>
    /// The name of its VNIAllocation: that of the segment, so that one id on one device has one name, and creating the object is the lock.
    /// </summary>
    public string AllocationName => Segment.Of(this).Name;

    /// <summary>The value of <see cref="ApiNames.SegmentLabel"/> on what stands on it.</summary>
    public string SegmentLabel => LabelValue.For(Segment.Of(this).Text);

    /// <summary>What a network of any kind has; null if it is untagged, has no device, or is of a static type.</summary>
    public static Vni? Of(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return NetworkTypes.IsDynamic(network.Spec.NetworkType) ? WrittenIn(network) : null;
    }

    /// <summary>
    /// As <see cref="Of(Network)"/>, whatever the network's type: one that is static now still has what it was given, and may be dynamic again.
    /// </summary>
    public static Vni? WrittenIn(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        var device = string.IsNullOrEmpty(options.HostDevice) ? options.DevicePool : options.HostDevice;
        return !string.IsNullOrEmpty(device) && ParentLink.EncapsulationOf(options) is (not Encapsulation.None, _) found
            ? new Vni(device, found.Item1, found.Item2)
            : null;
    }

    /// <summary>What a VNIAllocation holds; null if it says nothing that can be read.</summary>
    public static Vni? Of(VNIAllocationSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return !string.IsNullOrEmpty(spec.Device) && EncapsulationOf(spec.VniType) is { } encapsulation && spec.Vni > 0 ? new Vni(spec.Device, encapsulation, spec.Vni) : null;
    }

    /// <summary>Reads a <c>vniType</c>; null if it is neither.</summary>
    public static Encapsulation? EncapsulationOf(string? vniType) => vniType switch
    {
        VlanType => Encapsulation.Vlan,
        VxlanType => Encapsulation.Vxlan,
        _ => null,
    };

    /// <summary><c>vlan 500 on "ens4"</c>.</summary>
    public override string ToString() => $"{Type} {Id} on \"{Device}\"";
}
