using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks.Admission;

/// <summary>
/// What a network has in common with others that it should not: none of it is denied, since the others may be about to go, or the
/// author may know better.
/// </summary>
public static class NetworkNeighbours
{
    private const int MaxWarnings = 10;

    /// <summary>
    /// A line for each other network with which it shares a segment with overlapping subnets (equal subnets with disjoint pools are
    /// the supported way), the name of a host interface, or a VNI that a tenant has. At most ten, and how many more there are.
    /// </summary>
    /// <param name="network">What is wanted, after mutation.</param>
    /// <param name="others">What is stored, of all kinds; itself is skipped, one that is broken has nothing to compare.</param>
    /// <returns>One-line texts, safe for terminals. Networks of other namespaces are not named.</returns>
    public static List<string> Warnings(Network network, IEnumerable<Network> others)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(others);
        var warnings = new List<string>();
        var more = 0;
        var mine = new Traits(network);
        foreach (var other in others)
        {
            if (IsSame(network, other))
                continue;
            foreach (var warning in mine.Compare(other))
            {
                if (warnings.Count < MaxWarnings)
                    warnings.Add(warning);
                else
                    more++;
            }
        }

        if (more > 0)
            warnings.Add($"and {more} more");
        return warnings;
    }

    private static bool IsSame(Network network, Network other) =>
        network.Kind == other.Kind && network.Metadata.Name == other.Metadata.Name
        && (!network.Kind.IsNamespaced() || network.Metadata.Namespace == other.Metadata.Namespace);

    /// <summary>What the others are compared with, read once.</summary>
    private sealed class Traits(Network network)
    {
        private readonly string? segment = Segment.TextOf(network);
        private readonly ParentLink? link = ParentLink.TryOf(network);
        private readonly Vni? vni = Vni.Of(network);
        private readonly CidrAddress? cidr = Subnet(network, ipv6: false);
        private readonly CidrAddress? net6 = Subnet(network, ipv6: true);
        private readonly bool isTenants = network.Kind == NetworkKind.TenantNetwork;

        public IEnumerable<string> Compare(Network other)
        {
            if (segment is not null && (cidr ?? net6) is not null && Segment.TextOf(other) == segment)
            {
                if (cidr is { } mine && Clashing(mine, other, ipv6: false) is { } theirs)
                    yield return Overlap("cidr", mine, other, theirs);
                if (net6 is { } mine6 && Clashing(mine6, other, ipv6: true) is { } theirs6)
                    yield return Overlap("net6", mine6, other, theirs6);
            }

            if (link is not { Encapsulation: Encapsulation.None } and not null
                && ParentLink.EncapsulationOf(other.Spec.Options).Encapsulation != Encapsulation.None
                && ParentLink.TryOf(other) is { } parent && parent.Name == link.Name && parent != link)
            {
                yield return $"the host interface {link.Name} ({Show(link)}) is wanted otherwise ({Show(parent)}) by {Shown(other)}: nodes will have only one of them";
            }

            if (vni is not null && isTenants != (other.Kind == NetworkKind.TenantNetwork)
                && ParentLink.EncapsulationOf(other.Spec.Options) == (vni.Encapsulation, vni.Id) && Vni.Of(other) == vni)
            {
                yield return $"{vni.Type} {vni.Id} on {NetworkFault.Quote(vni.Device)} is also that of {Shown(other)}: its Pods and a tenant's would share one wire";
            }
        }

        private CidrAddress? Clashing(CidrAddress mine, Network other, bool ipv6)
        {
            if (Subnet(other, ipv6) is not { } theirs || (!mine.Contains(theirs) && !theirs.Contains(mine)))
                return null;
            if (mine != theirs)
                return theirs;
            // A pool that cannot be read gives out nothing.
            return Pool(network, ipv6) is { } pool && Pool(other, ipv6) is { } pool2
                && CidrAddress.ToValue(pool.First) <= CidrAddress.ToValue(pool2.Last) && CidrAddress.ToValue(pool2.First) <= CidrAddress.ToValue(pool.Last)
                ? theirs
                : null;
        }

        private string Overlap(string field, CidrAddress mine, Network other, CidrAddress theirs) => mine == theirs
            ? $"spec.Options.{field} {mine} is that of {Shown(other)} on the same segment {NetworkFault.Quote(segment!)}, and the pools overlap"
            : $"spec.Options.{field} {mine} overlaps {theirs} of {Shown(other)} on the same segment {NetworkFault.Quote(segment!)}";

        // Who may make networks in one namespace need not learn the names in others.
        private string Shown(Network other) =>
            network.Kind.IsNamespaced() && other.Kind.IsNamespaced() && network.Metadata.Namespace != other.Metadata.Namespace
                ? $"a {other.Kind.ToName()} of another namespace"
                : $"{other.Ref}";

        private static string Show(ParentLink link) =>
            $"{(link.Encapsulation == Encapsulation.Vlan ? Vni.VlanType : Vni.VxlanType)} {link.Vni} on {link.HostDevice}";

        private static AddressPool? Pool(Network network, bool ipv6) => new PoolReader(ipv6, []).Read(network.Spec.Options);

        private static CidrAddress? Subnet(Network network, bool ipv6) =>
            CidrAddress.TryParse(ipv6 ? network.Spec.Options.Net6 : network.Spec.Options.Cidr, out var subnet) && subnet.IsIPv6 == ipv6 ? subnet.Network : null;
    }
}
