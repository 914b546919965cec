using System.Net;
using System.Net.Sockets;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.HostLinks;

/// <summary>
/// The interface of the host that a network's Pod interfaces are children of: looked up, compared, made when missing (a node that
/// just booted). The same function serves the CNI path and netwatcher.
/// </summary>
public static class HostLink
{
    /// <summary>How ours begin their alias, by which they are told from the host's own.</summary>
    public const string AliasPrefix = "danm:";

    private const int Eexist = 17;

    /// <summary>Looks whether <see cref="Ensure"/> can succeed, changing nothing.</summary>
    /// <exception cref="HostLinkException">The device is missing, or an interface of that name is something else.</exception>
    public static void Check(RouteSocket host, ParentLink wanted)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(wanted);
        var device = Device(host, wanted);
        if (wanted.Encapsulation != Encapsulation.None && host.GetLink(wanted.Name) is { } link)
            Compare(link, wanted, device);
    }

    /// <summary>Gives the parent, made if it was missing.</summary>
    /// <param name="host">A socket in the host's namespace.</param>
    /// <param name="wanted">The parent.</param>
    /// <param name="mtu">The network's mtu; null: the kernel's choice.</param>
    /// <param name="multicast">Whether a VxLAN floods to its multicast group; otherwise to the nodes that netwatcher tells it.</param>
    /// <exception cref="HostLinkException">The device is missing, or an interface of that name is something else.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static Link Ensure(RouteSocket host, ParentLink wanted, int? mtu, bool multicast = true)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(wanted);
        var device = Device(host, wanted);
        if (wanted.Encapsulation == Encapsulation.None)
            return device;
        if (host.GetLink(wanted.Name) is { } present)
            return Compare(present, wanted, device);
        var taken = false;
        try
        {
            host.AddLink(Spec(host, wanted, device, mtu, multicast));
        }
        catch (NetlinkException e) when (e.Errno == Eexist)
        {
            // Another Pod's ADD or netwatcher was faster: what it made is compared like any other. Or the VNI is taken.
            taken = true;
        }

        var made = host.GetLink(wanted.Name)
            ?? throw new HostLinkException(taken
                ? $"host interface \"{wanted.Name}\" cannot be made: an interface of another name is {Describe(wanted)} already; remove it"
                : $"host interface \"{wanted.Name}\" vanished while it was being made");
        return Compare(made, wanted, device);
    }

    private static Link Device(RouteSocket host, ParentLink wanted) => host.GetLink(wanted.HostDevice)
        ?? throw new HostLinkException($"host_device \"{wanted.HostDevice}\" does not exist on this node: create it, or correct the network");

    /// <summary>Whether the interface is what a network wants, so that Pods may stand on it.</summary>
    internal static bool Fits(Link link, ParentLink wanted, Link device) =>
        HasId(link, wanted, device) && (link.Kind is not LinkKind.Vxlan vxlan || vxlan.UnderlayIndex == device.Index);

    /// <summary>
    /// Whether the interface, whatever its name, has the id that the wanted one needs, so that the kernel would refuse a second one: a
    /// VLAN's id is taken on its device only, a VxLAN's in the whole namespace.
    /// </summary>
    internal static bool HasId(Link link, ParentLink wanted, Link device) => (wanted.Encapsulation, link.Kind) switch
    {
        (Encapsulation.Vlan, LinkKind.Vlan vlan) => vlan == new LinkKind.Vlan(wanted.Vni) && link.ParentIndex == device.Index,
        (Encapsulation.Vxlan, LinkKind.Vxlan vxlan) => vxlan.Id == (uint)wanted.Vni && vxlan.Port == LinkKind.Vxlan.IanaPort,
        _ => false,
    };

    /// <summary>The alias that ours carry.</summary>
    internal static string AliasOf(ParentLink wanted) => $"{AliasPrefix}{wanted.Encapsulation.ToString().ToLowerInvariant()}{wanted.Vni}.{wanted.HostDevice}";

    private static Link Compare(Link link, ParentLink wanted, Link device) => Fits(link, wanted, device)
        ? link
        : throw new HostLinkException(
            $"host interface \"{wanted.Name}\" exists but is not {Describe(wanted)}: it would lead to another segment; remove or rename it");

    private static LinkSpec Spec(RouteSocket host, ParentLink wanted, Link device, int? mtu, bool multicast)
    {
        var spec = wanted.Encapsulation == Encapsulation.Vlan
            ? new LinkSpec(wanted.Name, new LinkKind.Vlan(wanted.Vni)) { ParentIndex = device.Index }
            : new LinkSpec(wanted.Name, Vxlan(host, wanted, device, multicast));
        // The kernel refuses a VLAN that is up on a device that is not, and takes both up together later.
        return spec with { Mtu = mtu, Up = wanted.Encapsulation == Encapsulation.Vxlan || device.IsUp, Alias = AliasOf(wanted) };
    }

    // Group 239.0.0.0 + VNI, resp. ff02:: + VNI; learning, l2miss and l3miss as the original set them, so that nodes of both can talk.
    private static LinkKind.Vxlan Vxlan(RouteSocket host, ParentLink wanted, Link device, bool multicast)
    {
        var local = Global(host, device, AddressFamily.InterNetwork) ?? Global(host, device, AddressFamily.InterNetworkV6)
            ?? throw new HostLinkException(LacksAddress(wanted));
        var ipv6 = local.AddressFamily == AddressFamily.InterNetworkV6;
        if (multicast)
            AllowMemberships();
        var group = CidrAddress.ToValue(IPAddress.Parse(ipv6 ? "ff02::" : "239.0.0.0")) + (UInt128)wanted.Vni;
        return new LinkKind.Vxlan((uint)wanted.Vni)
        {
            UnderlayIndex = device.Index,
            Local = local,
            Group = multicast ? CidrAddress.FromValue(group, ipv6) : null,
            Learning = true,
            L2Miss = true,
            L3Miss = true,
        };
    }

    // The kernel's 20 groups a socket would keep the 21st VxLAN from coming up. A container's own /proc/sys is read-only; whose network is
    // changed is the caller's either way.
    private static void AllowMemberships()
    {
        const string Parameter = "/proc/sys/net/ipv4/igmp_max_memberships";
        const int Enough = 8192;
        foreach (var path in (string[])[Parameter, HostNamespaces.FirstProcess + Parameter])
        {
            try
            {
                if (int.TryParse(File.ReadAllText(path), out var now) && now < Enough)
                    File.WriteAllText(path, Enough.ToString());
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // If neither can be written, the kernel says so where it matters.
            }
        }
    }

    private static IPAddress? Global(RouteSocket host, Link device, AddressFamily family)
    {
        foreach (var (_, address, scope, _) in host.DumpAddresses(device.Index))
        {
            if (address.Address.AddressFamily == family && scope == RouteScope.Universe)
                return address.Address;
        }

        return null;
    }

    internal static string LacksAddress(ParentLink wanted) =>
        $"host_device \"{wanted.HostDevice}\" has no global address that VxLAN {wanted.Vni} could be sent from: give it one";

    internal static string Describe(ParentLink wanted) =>
        $"{(wanted.Encapsulation == Encapsulation.Vlan ? "VLAN" : "VxLAN")} {wanted.Vni} on \"{wanted.HostDevice}\"";
}

/// <summary>A host interface is missing or is not what a network says.</summary>
public sealed class HostLinkException(string message) : Exception(message);
