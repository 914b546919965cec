namespace Danm.Api;

/// <summary>An object of any kind of which only the name matters: the rest of a long list is skipped unread.</summary>
public sealed class NamedObject
{
    /// <summary>The part of its metadata that is read.</summary>
    public NameOnly Metadata { get; set => field = value ?? new(); } = new();
}

/// <summary>metadata.name, and nothing else of an object's metadata.</summary>
public sealed class NameOnly
{
    /// <summary>Unique within kind and namespace.</summary>
    public string? Name { get; set; }
}
