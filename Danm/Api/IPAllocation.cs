using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>One address in use on one segment: creating it is the lock.</summary>
public sealed class IPAllocation : IApiObject
{
    /// <summary>danm.io/v1.</summary>
    public string? ApiVersion { get; set; } = ApiNames.GroupVersion;

    /// <summary>IPAllocation.</summary>
    public string? Kind { get; set; } = ApiNames.IPAllocation;

    /// <summary>The name is made of address and segment.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Who has the address.</summary>
    public IPAllocationSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary><c>spec</c> of an <see cref="IPAllocation"/>.</summary>
public sealed class IPAllocationSpec
{
    /// <summary>The network that the address was given out by.</summary>
    public NetworkRef? Network { get; set; }

    /// <summary>The address with its subnet's prefix length, <c>10.0.0.5/24</c>.</summary>
    public string? Address { get; set; }

    /// <summary>The segment's exact text; written only where the object's name holds a hash of it.</summary>
    public string? Segment { get; set; }

    /// <summary>Who uses the address.</summary>
    public IPAllocationOwner? Owner { get; set; }

    /// <summary>The Kubernetes node that made the object.</summary>
    public string? NodeName { get; set; }
}

/// <summary>Who uses an address. A record, so that a second try can tell its own allocation.</summary>
public sealed record IPAllocationOwner
{
    /// <summary>The Pod's namespace.</summary>
    public string? Namespace { get; init; }

    /// <summary>The Pod's name.</summary>
    public string? Pod { get; init; }

    /// <summary>metadata.uid of the Pod.</summary>
    [JsonPropertyName("podUID")]
    public string? PodUid { get; init; }

    /// <summary>The sandbox.</summary>
    [JsonPropertyName("containerID")]
    public string? ContainerId { get; init; }

    /// <summary>The interface's name inside the Pod.</summary>
    public string? Interface { get; init; }

    /// <summary>metadata.name of the DanmEp.</summary>
    public string? DanmEp { get; init; }
}
