namespace Danm.Api;

/// <summary>An object of any kind without what only its kind has: Kubernetes' metav1.PartialObjectMetadata.</summary>
public sealed class PartialObject : IApiObject
{
    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();
}
