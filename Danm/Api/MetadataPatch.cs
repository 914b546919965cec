namespace Danm.Api;

/// <summary>A merge patch (RFC 7386) of an object's metadata: members that are null stay as they are, labels and annotations that are null go.</summary>
public sealed class MetadataPatch
{
    /// <summary>What changes.</summary>
    public MetadataChange Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>One annotation more, or another value of it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value; null takes it away.</param>
    /// <param name="resourceVersion">Only of the object as it was then; null: whatever it is.</param>
    public static MetadataPatch Annotate(string name, string? value, string? resourceVersion = null) =>
        new() { Metadata = new() { ResourceVersion = resourceVersion, Annotations = new() { [name] = value } } };
}

/// <summary><c>metadata</c> of a <see cref="MetadataPatch"/>.</summary>
public sealed class MetadataChange
{
    /// <summary>The server refuses the patch if the object has another one.</summary>
    public string? ResourceVersion { get; set; }

    /// <summary>What selectors select; a label that is null goes.</summary>
    public Dictionary<string, string?>? Labels { get; set; }

    /// <summary>What nobody selects.</summary>
    public Dictionary<string, string?>? Annotations { get; set; }
}
