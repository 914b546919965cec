namespace Danm.Api;

/// <summary>
/// The few members of a core/v1 Pod that we use. Also reads metav1.PartialObjectMetadata, which comes without a spec
/// and spares the server and us the rest.
/// </summary>
public sealed class Pod : IApiObject
{
    /// <summary>Name, uid, labels, annotations.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Where the Pod runs; empty in a PartialObjectMetadata.</summary>
    public PodSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary>The part of a Pod's spec that we use.</summary>
public sealed class PodSpec
{
    /// <summary>The Kubernetes node.</summary>
    public string? NodeName { get; set; }
}
