using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Ipam;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Attach;

/// <summary>One interface that ADD is to make: everything that can be known before anything is changed.</summary>
internal sealed record Attachment : ClaimedInterface
{
    public required AttachmentRequest Request { get; init; }

    public required Network Network { get; init; }

    /// <summary>The host's interface below it; null where only a delegate's file knows.</summary>
    public ParentLink? Parent { get; init; }

    /// <summary>The plugins that make it; null: our own.</summary>
    public DelegatePlan? Delegate { get; init; }

    public FirstTries? IPv4 { get; init; }

    public FirstTries? IPv6 { get; init; }

    /// <summary>What the Pod's owner must know although ADD succeeds.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The API objects that may come to be.</summary>
    public IEnumerable<ClaimRecord> Claims
    {
        get
        {
            foreach (var tries in (FirstTries?[])[IPv4, IPv6])
            {
                foreach (var name in tries?.Names ?? [])
                    yield return Allocation(name);
            }

            yield return new ClaimRecord { Kind = ApiNames.DanmEp, Name = EndpointId, EndpointId = EndpointId, MayComeAgain = true };
        }
    }

    /// <summary>The interface as far as it is known before it is made.</summary>
    public AttachmentRecord ToRecord() => new()
    {
        Interface = Interface,
        Network = Network.Ref.ToString(),
        EndpointId = EndpointId,
        Delegate = Delegate?.Compose([]),
        Table = Request.PolicyRoutes.Count + Request.PolicyRoutes6.Count > 0 ? Network.Spec.Options.RoutingTable ?? 0 : 0,
    };
}

/// <summary>One interface as it was made.</summary>
/// <param name="Attachment">What was to be made.</param>
/// <param name="Addresses">Its addresses, whoever chose them.</param>
/// <param name="Link">The interface in the Pod; null where a delegate made none that the kernel knows.</param>
/// <param name="Routes">Its routes.</param>
internal sealed record AttachedInterface(Attachment Attachment, IReadOnlyList<CidrAddress> Addresses, Link? Link, RoutePlan Routes)
{
    /// <summary>What the delegate was called with, and answered.</summary>
    public DelegateRecord? Delegate { get; init; }

    /// <summary>The delegate's answer.</summary>
    public CniResult? Result { get; init; }

    /// <summary>What the Pod's owner must know although ADD succeeded.</summary>
    public IEnumerable<string> Warnings => Attachment.Warnings.Concat(Routes.Warnings).Concat(
        Link is null ? [$"interface {Attachment.Interface} ({Attachment.Network.Ref}) is not in the Pod after its plugin succeeded: no routes were set"] : []);

    public AttachmentRecord ToRecord() => Attachment.ToRecord() with
    {
        Delegate = Delegate,
        IsOutsideKernel = Link is null,
        Mac = Link?.Address?.ToString(),
        Addresses = [.. Addresses.Select(a => a.ToString())],
        Routes = Link is null
            ? []
            : [.. Routes.Main.Select(r => ToRecord(r, Route.MainTable)), .. Routes.Policy.Select(r => ToRecord(r, Routes.Table))],
        Table = Routes.Policy.Count > 0 ? Routes.Table : 0,
    };

    private static RouteRecord ToRecord(GatewayRoute route, uint table) => new(route.Destination.ToString(), route.Gateway.ToString(), table);
}
