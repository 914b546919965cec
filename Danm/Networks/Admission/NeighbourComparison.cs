using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks.Admission;

/// <summary>
/// One network against any number of others. The cheap comparisons come first and allocate nothing: among ten thousand networks few
/// have the same VNI or NetworkID.
/// </summary>
internal sealed class NeighbourComparison(Network network, NetworkNeighbours.Findings findings)
{
    private readonly bool isTenants = network.Kind == NetworkKind.TenantNetwork;
    private readonly bool isDynamic = NetworkTypes.IsDynamic(network.Spec.NetworkType);
    private readonly (Encapsulation Encapsulation, int Vni) encapsulation = ParentLink.EncapsulationOf(network.Spec.Options);
    private readonly string? segment = Segment.TextOf(network);
    private readonly ParentLink? link = ParentLink.TryOf(network);
    private readonly Vni? vni = Vni.Of(network);
    private readonly CidrAddress? cidr = Subnet(network, ipv6: false);
    private readonly CidrAddress? net6 = Subnet(network, ipv6: true);
    private readonly Lazy<AddressPool?> pool = new(() => Pool(network, ipv6: false));
    private readonly Lazy<AddressPool?> pool6 = new(() => Pool(network, ipv6: true));

    public void With(Network other)
    {
        var theirs = ParentLink.EncapsulationOf(other.Spec.Options);
        if ((cidr ?? net6) is not null && SharesSegment(other, theirs))
        {
            CompareSubnets("cidr", cidr, other, ipv6: false);
            CompareSubnets("net6", net6, other, ipv6: true);
        }

        if (encapsulation.Encapsulation != Encapsulation.None && theirs.Encapsulation != Encapsulation.None)
        {
            CompareLinks(other, theirs);
            CompareVnis(other, theirs);
        }
    }

    // The tag is part of a dynamic type's segment.
    private bool SharesSegment(Network other, (Encapsulation Encapsulation, int Vni) theirs) =>
        segment is not null && (!isDynamic || theirs == encapsulation) && Segment.TextOf(other) == segment;

    private void CompareSubnets(string field, CidrAddress? subnet, Network other, bool ipv6)
    {
        if (subnet is not { } mine || Subnet(other, ipv6) is not { } theirs || (!mine.Contains(theirs) && !theirs.Contains(mine)))
            return;
        if (mine == theirs && !PoolsOverlap((ipv6 ? pool6 : pool).Value, Pool(other, ipv6)))
            return;
        if (findings.IsFull)
            findings.Count();
        else if (mine == theirs)
            findings.Add($"spec.Options.{field} {mine} is that of {Shown(other)} on the same segment {NetworkFault.Quote(segment!)}, and the pools overlap");
        else
            findings.Add($"spec.Options.{field} {mine} overlaps {(IsElsewhere(other) ? "that" : $"{theirs}")} of {Shown(other)} on the same segment {NetworkFault.Quote(segment!)}");
    }

    private void CompareLinks(Network other, (Encapsulation Encapsulation, int Vni) theirs)
    {
        // Of one kind, interfaces share a name only with the NetworkID; a VLAN's id may begin with vx_, though.
        if (link is null || (theirs.Encapsulation == encapsulation.Encapsulation && other.Spec.NetworkId != network.Spec.NetworkId))
            return;
        if (ParentLink.TryOf(other) is not { } parent || parent.Name != link.Name || parent == link)
            return;
        if (findings.IsFull)
            findings.Count();
        else
            findings.Add($"the host interface {link.Name} ({Text(link)}) is wanted otherwise{(IsElsewhere(other) ? "" : $" ({Text(parent)})")} by {Shown(other)}: nodes will have only one of them");
    }

    private void CompareVnis(Network other, (Encapsulation Encapsulation, int Vni) theirs)
    {
        if (vni is null || theirs != encapsulation || isTenants == (other.Kind == NetworkKind.TenantNetwork) || Vni.Of(other) != vni)
            return;
        if (findings.IsFull)
            findings.Count();
        else
            findings.Add($"{vni.Type} {vni.Id} on {NetworkFault.Quote(vni.Device)} is also that of {Shown(other)}: its Pods and a tenant's would share one wire");
    }

    // A pool that cannot be read gives out nothing.
    private static bool PoolsOverlap(AddressPool? mine, AddressPool? theirs) =>
        mine is not null && theirs is not null
        && CidrAddress.ToValue(mine.First) <= CidrAddress.ToValue(theirs.Last) && CidrAddress.ToValue(theirs.First) <= CidrAddress.ToValue(mine.Last);

    private string Shown(Network other) => IsElsewhere(other) ? $"a {other.Kind.ToName()} of another namespace" : $"{other.Ref}";

    // Who may make networks in one namespace need not learn what there is in others.
    private bool IsElsewhere(Network other) => network.Kind.IsNamespaced() && other.Kind.IsNamespaced() && network.Metadata.Namespace != other.Metadata.Namespace;

    private static string Text(ParentLink link) =>
        $"{(link.Encapsulation == Encapsulation.Vlan ? Vni.VlanType : Vni.VxlanType)} {link.Vni} on {link.HostDevice}";

    private static AddressPool? Pool(Network network, bool ipv6) => new PoolReader(ipv6, []).Read(network.Spec.Options);

    private static CidrAddress? Subnet(Network network, bool ipv6) =>
        NetworkRules.SubnetOf(ipv6 ? network.Spec.Options.Net6 : network.Spec.Options.Cidr, ipv6);
}
