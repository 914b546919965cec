using Danm.Api;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Ipam;

/// <summary>What one interface wants of one address family, ready to be allocated.</summary>
/// <param name="Network">The network that gives the address.</param>
/// <param name="Segment">The wire on which it must be unique.</param>
/// <param name="Pool">The family's pool.</param>
/// <param name="Static">The exact address wanted; null: any of the pool.</param>
/// <param name="Owner">Who gets it.</param>
/// <param name="NodeName">The node that allocates; null if nobody knows its name.</param>
public sealed record AddressClaim(
    Network Network, Segment Segment, AddressPool Pool, System.Net.IPAddress? Static, IPAllocationOwner Owner, string? NodeName)
{
    internal CidrAddress WithPrefix(System.Net.IPAddress address) => new(address, Pool.Subnet.PrefixLength);

    internal string NameOf(System.Net.IPAddress address) => AllocationName.For(address, Segment);

    internal IPAllocation ToObject(System.Net.IPAddress address)
    {
        var labels = new Dictionary<string, string>
        {
            [ApiNames.SegmentLabel] = LabelValue.For(Segment.Text),
            [ApiNames.NetworkLabel] = Network.Ref.ToLabelValue(),
        };
        if (Owner.PodUid is not null)
            labels[ApiNames.PodUidLabel] = LabelValue.For(Owner.PodUid);
        if (NodeName is not null)
            labels[ApiNames.NodeLabel] = LabelValue.For(NodeName);
        return new IPAllocation
        {
            Metadata = new ObjectMeta { Name = NameOf(address), Labels = labels },
            Spec = new IPAllocationSpec
            {
                Network = Network.Ref,
                Address = WithPrefix(address).ToString(),
                Segment = Segment.IsHashed ? Segment.Text : null,
                Owner = Owner,
                NodeName = NodeName,
            },
        };
    }
}

/// <summary>An address that is ours now.</summary>
/// <param name="Name">The IPAllocation's name.</param>
/// <param name="Uid">Its uid, the precondition of its release.</param>
/// <param name="Address">The address with its subnet's prefix length.</param>
/// <param name="MayComeAgain"><see cref="Kube.Created{T}.MayComeAgain"/> of its IPAllocation.</param>
public sealed record AllocatedAddress(string Name, string Uid, CidrAddress Address, bool MayComeAgain = false);
