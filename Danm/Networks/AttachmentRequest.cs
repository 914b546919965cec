using System.Net;
using Danm.Api;

namespace Danm.Networks;

/// <summary>One interface that a Pod asks for, whatever dialect it asked in.</summary>
/// <param name="Position">Zero-based, in the order in which the Pod lists its networks.</param>
/// <param name="Network">Which network.</param>
/// <param name="IPv4">The IPv4 address wanted.</param>
/// <param name="IPv6">The IPv6 address wanted.</param>
/// <param name="PolicyRoutes">IPv4 routes for the network's own table.</param>
/// <param name="PolicyRoutes6">IPv6 routes for the network's own table.</param>
public sealed record AttachmentRequest(
    int Position,
    NetworkRef Network,
    IPRequest IPv4,
    IPRequest IPv6,
    IReadOnlyList<GatewayRoute> PolicyRoutes,
    IReadOnlyList<GatewayRoute> PolicyRoutes6);

/// <summary>What a Pod may ask of one address family.</summary>
public enum IPRequestKind
{
    /// <summary>Nothing; IPv6 is then off on the interface.</summary>
    NotAsked,

    /// <summary>Expressly no address; IPv6 is then link-local only.</summary>
    None,

    /// <summary>Any address of the pool.</summary>
    Dynamic,

    /// <summary>A certain address.</summary>
    Static,
}

/// <summary>A request for an address of one family.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Address">The address of a static request, else null. Its prefix length is always the network's.</param>
public readonly record struct IPRequest(IPRequestKind Kind, IPAddress? Address = null)
{
    /// <summary>Any address of the pool.</summary>
    public static IPRequest Dynamic => new(IPRequestKind.Dynamic);

    /// <summary>Whether an address is wanted.</summary>
    public bool WantsAddress => Kind is IPRequestKind.Dynamic or IPRequestKind.Static;

    /// <summary>As annotations and DanmEps spell it: empty, <c>none</c>, <c>dynamic</c> or the bare address.</summary>
    public override string ToString() => Kind switch
    {
        IPRequestKind.None => "none",
        IPRequestKind.Dynamic => "dynamic",
        IPRequestKind.Static => Address!.ToString(),
        _ => "",
    };
}
