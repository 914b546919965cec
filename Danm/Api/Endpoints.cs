namespace Danm.Api;

/// <summary>A core/v1 Endpoints: what old clients read instead of EndpointSlices. It has the Service's name.</summary>
public sealed class Endpoints : IApiObject
{
    /// <summary>Its plural.</summary>
    public const string Plural = "endpoints";

    /// <summary>Label: Kubernetes is not to make EndpointSlices of it, since they are there.</summary>
    public const string SkipMirrorLabel = "endpointslice.kubernetes.io/skip-mirror";

    /// <summary>Label: who writes the object; others leave it alone.</summary>
    public const string ManagedByLabel = "endpoints.kubernetes.io/managed-by";

    /// <summary>Annotation: there are more addresses than it shows.</summary>
    public const string OverCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";

    /// <summary>The value of <see cref="OverCapacityAnnotation"/>.</summary>
    public const string Truncated = "truncated";

    /// <summary>v1.</summary>
    public string? ApiVersion { get; set; } = "v1";

    /// <summary>Endpoints.</summary>
    public string? Kind { get; set; } = "Endpoints";

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Addresses with their ports; null: none.</summary>
    public EquatableList<EndpointSubset>? Subsets { get; set; }
}

/// <summary>Kubernetes' core/v1 EndpointSubset.</summary>
public sealed record EndpointSubset
{
    /// <summary>Those to use.</summary>
    public EquatableList<EndpointAddress>? Addresses { get; set; }

    /// <summary>Those not to use yet.</summary>
    public EquatableList<EndpointAddress>? NotReadyAddresses { get; set; }

    /// <summary>The ports of all of them.</summary>
    public EquatableList<EndpointPort>? Ports { get; set; }
}

/// <summary>Kubernetes' core/v1 EndpointAddress.</summary>
public sealed record EndpointAddress
{
    /// <summary>IPv4 or IPv6.</summary>
    public string? Ip { get; set; }

    /// <summary>The Pod's name within the Service's domain.</summary>
    public string? Hostname { get; set; }

    /// <summary>Its node.</summary>
    public string? NodeName { get; set; }

    /// <summary>The Pod.</summary>
    public EndpointTarget? TargetRef { get; set; }
}
