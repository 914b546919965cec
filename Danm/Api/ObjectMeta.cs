namespace Danm.Api;

/// <summary>The part of Kubernetes' metav1.ObjectMeta that we use; the rest is skipped unread.</summary>
public sealed class ObjectMeta
{
    /// <summary>Unique within kind and namespace.</summary>
    public string? Name { get; set; }

    /// <summary>On a create without a name: the prefix of the name that the server makes.</summary>
    public string? GenerateName { get; set; }

    /// <summary>Null for cluster-scoped kinds.</summary>
    public string? Namespace { get; set; }

    /// <summary>Set by the server; tells an object from a later one of the same name.</summary>
    public string? Uid { get; set; }

    /// <summary>Opaque; equal only when the object did not change.</summary>
    public string? ResourceVersion { get; set; }

    /// <summary>RFC 3339 in UTC and whole seconds, as the server writes it: compares as text.</summary>
    public string? CreationTimestamp { get; set; }

    /// <summary>RFC 3339; set once the object is being deleted.</summary>
    public string? DeletionTimestamp { get; set; }

    /// <summary>What selectors select.</summary>
    public Dictionary<string, string>? Labels { get; set; }

    /// <summary>What nobody selects.</summary>
    public Dictionary<string, string>? Annotations { get; set; }

    /// <summary>The objects that this one goes with.</summary>
    public List<OwnerReference>? OwnerReferences { get; set; }

    /// <summary>Who must agree before the object goes. Read so that a whole object that is written back keeps them.</summary>
    public List<string>? Finalizers { get; set; }

    /// <summary>Itself, without what only its owner needs, and as small as it can be: of kinds that a cluster has many of.</summary>
    internal ObjectMeta ForSelection()
    {
        (GenerateName, Annotations, OwnerReferences, Finalizers) = (null, null, null, null);
        (Namespace, CreationTimestamp) = (SharedText.Of(Namespace), SharedText.Of(CreationTimestamp));
        Labels = Labels is null ? null : SharedText.Of(Labels);
        return this;
    }
}

/// <summary>Kubernetes' metav1.OwnerReference.</summary>
public sealed class OwnerReference
{
    /// <summary>Group and version of the owner.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>Kind of the owner.</summary>
    public string? Kind { get; set; }

    /// <summary>Name of the owner, in the same namespace or cluster-scoped.</summary>
    public string? Name { get; set; }

    /// <summary>UID of the owner.</summary>
    public string? Uid { get; set; }

    /// <summary>Whether the owner is the managing controller.</summary>
    public bool? Controller { get; set; }

    /// <summary>Whether deletion of the owner waits for this object.</summary>
    public bool? BlockOwnerDeletion { get; set; }
}
