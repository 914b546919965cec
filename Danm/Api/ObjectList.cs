namespace Danm.Api;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">The kind listed. A server may leave kind and apiVersion out of the items.</typeparam>
public sealed class ObjectList<T>
{
    /// <summary>Where the next page begins.</summary>
    public ListMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>The objects; empty where the server says null.</summary>
    public List<T> Items { get; set => field = value ?? []; } = [];
}

/// <summary>Kubernetes' metav1.ListMeta.</summary>
public sealed class ListMeta
{
    /// <summary>The version of the collection; what a watch starts from.</summary>
    public string? ResourceVersion { get; set; }

    /// <summary>The token of the next page; null or empty on the last one.</summary>
    public string? Continue { get; set; }

    /// <summary>How many objects follow, where the server knows.</summary>
    public long? RemainingItemCount { get; set; }
}
