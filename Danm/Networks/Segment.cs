using System.Security.Cryptography;
using System.Text;
using Danm.Api;

namespace Danm.Networks;

/// <summary>
/// The wire on which an address must be unique: kind of link, id and device; for static types the NetworkID. Networks of one
/// segment share its addresses, whatever they are called.
/// </summary>
/// <param name="Text">The exact text: <c>vlan500.ens4</c>, <c>vxlan600.ens4</c>, <c>untagged.ens4</c>,
/// <c>vlan500.pool:vendor.io/resource</c>, <c>static.NetworkID</c>.</param>
/// <param name="Name">The text as a part of an object's name: itself, or <c>hash.</c> and 128 bits of its SHA-256.</param>
public sealed record Segment(string Text, string Name)
{
    // An object's name has 253 characters; an IPv6 address takes 39 of them, and a dot.
    private const int MaxLength = 253 - 40;

    /// <summary>Whether <see cref="Name"/> does not tell the text.</summary>
    public bool IsHashed => Name != Text;

    /// <summary>The segment of a network.</summary>
    /// <exception cref="NetworkFaultException">It names no device, resp. no NetworkID.</exception>
    public static Segment Of(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return TextOf(network) is { } text
            ? Of(text)
            : throw (NetworkTypes.IsDynamic(network.Spec.NetworkType)
                ? new NetworkFaultException("spec.Options.host_device", null, "is missing, and so is device_pool")
                : new NetworkFaultException("spec.NetworkID", null, "is missing"));
    }

    /// <summary>The <see cref="Text"/> of a network's segment; null where <see cref="Of(Network)"/> throws. Cheaper than a segment, since nothing is hashed.</summary>
    internal static string? TextOf(Network network)
    {
        var spec = network.Spec;
        if (!NetworkTypes.IsDynamic(spec.NetworkType))
            return string.IsNullOrEmpty(spec.NetworkId) ? null : $"static.{spec.NetworkId}";

        var device = spec.Options switch
        {
            { HostDevice: { Length: > 0 } hostDevice } => hostDevice,
            // No interface's name has a colon, so a pool never passes for a device.
            { DevicePool: { Length: > 0 } devicePool } => $"pool:{devicePool}",
            _ => null,
        };
        return device is null ? null : ParentLink.EncapsulationOf(spec.Options) switch
        {
            (Encapsulation.Vlan, var vni) => $"vlan{vni}.{device}",
            (Encapsulation.Vxlan, var vni) => $"vxlan{vni}.{device}",
            _ => $"untagged.{device}",
        };
    }

    /// <summary>The segment of a VLAN or VxLAN id on a device.</summary>
    public static Segment Of(Vni vni)
    {
        ArgumentNullException.ThrowIfNull(vni);
        return Of($"{vni.Type}{vni.Id}.{(vni.Device.Contains('/') ? "pool:" : "")}{vni.Device}");
    }

    // No plain segment begins with "hash.", so the two forms never meet.
    private static Segment Of(string text) => new(
        text,
        text.Length <= MaxLength && Names.IsSubdomain(text)
            ? text
            : "hash." + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16)));
}
