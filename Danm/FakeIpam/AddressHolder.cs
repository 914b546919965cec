using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.Networks;

namespace Danm.FakeIpam;

/// <summary>
/// The interface that a call gives addresses to or takes them from. Network name, container and interface make it one (CNI specification
/// 1.1.0, section 2, "Lifecycle &amp; Ordering"); of a Pod, where there is one, not every call tells.
/// </summary>
internal sealed record AddressHolder : ClaimedInterface
{
    /// <summary>What the journal is called, behind the Pod's UID (<see cref="State.NodeState.Addresses"/>).</summary>
    public required string JournalKey { get; init; }

    /// <summary>What IPAllocations say of it.</summary>
    public required IPAllocationOwner Owner { get; init; }

    public static AddressHolder Of(CniRequest request)
    {
        var id = Networks.EndpointId.For(request.Config.Name, request.ContainerId, request.IfName);
        var isPod = request.Args is { PodNamespace: not null, PodName: not null };
        return new AddressHolder
        {
            Interface = request.IfName,
            EndpointId = id,
            JournalKey = $"{request.ContainerId}_{id}",
            Owner = new IPAllocationOwner
            {
                Namespace = isPod ? request.Args.PodNamespace : null,
                Pod = isPod ? request.Args.PodName : null,
                PodUid = isPod ? request.Args.PodUid : null,
                ContainerId = request.ContainerId,
                Interface = request.IfName,
            },
        };
    }
}
