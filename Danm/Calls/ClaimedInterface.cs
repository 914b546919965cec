using Danm.Api;
using Danm.State;

namespace Danm.Calls;

/// <summary>An interface that claims API objects: what a journal knows it by.</summary>
internal record ClaimedInterface
{
    /// <summary>The name in the container.</summary>
    public required string Interface { get; init; }

    /// <summary>metadata.name of the DanmEp, where the interface has one; in any case unique to it.</summary>
    public required string EndpointId { get; init; }

    /// <summary>The claim of an IPAllocation that may come to be.</summary>
    public ClaimRecord Allocation(string name) => new() { Kind = ApiNames.IPAllocation, Name = name, EndpointId = EndpointId, MayComeAgain = true };
}
