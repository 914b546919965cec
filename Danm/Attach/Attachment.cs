using Danm.Api;
using Danm.Cni;
using Danm.Ipam;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Attach;

/// <summary>One interface that ADD is to make: everything that can be known before anything is changed.</summary>
internal sealed record Attachment
{
    public required AttachmentRequest Request { get; init; }

    public required Network Network { get; init; }

    /// <summary>The name in the Pod.</summary>
    public required string Interface { get; init; }

    /// <summary>metadata.name of the DanmEp.</summary>
    public required string EndpointId { get; init; }

    public required ParentLink Parent { get; init; }

    public FirstTries? IPv4 { get; init; }

    public FirstTries? IPv6 { get; init; }

    public IReadOnlyList<GatewayRoute> Routes { get; init; } = [];

    /// <summary>Both families; empty where they would be skipped, which <see cref="Warnings"/> then tells.</summary>
    public IReadOnlyList<GatewayRoute> PolicyRoutes { get; init; } = [];

    public uint Table => Network.Spec.Options.RoutingTable ?? 0;

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
        Table = PolicyRoutes.Count > 0 ? Table : 0,
    };

    public ClaimRecord Allocation(string name) => new() { Kind = ApiNames.IPAllocation, Name = name, EndpointId = EndpointId, MayComeAgain = true };
}

/// <summary>One interface as it was made.</summary>
internal sealed record AttachedInterface(Attachment Attachment, IReadOnlyList<CidrAddress> Addresses, Link Link)
{
    public AttachmentRecord ToRecord() => Attachment.ToRecord() with
    {
        Mac = Link.Address?.ToString(),
        Addresses = [.. Addresses.Select(a => a.ToString())],
        Routes =
        [
            .. Attachment.Routes.Select(r => ToRecord(r, Route.MainTable)),
            .. Attachment.PolicyRoutes.Select(r => ToRecord(r, Attachment.Table)),
        ],
    };

    private static RouteRecord ToRecord(GatewayRoute route, uint table) => new(route.Destination.ToString(), route.Gateway.ToString(), table);
}
