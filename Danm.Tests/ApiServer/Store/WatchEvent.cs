namespace Danm.Tests.ApiServer.Store;

/// <summary>A change as watches see it. <see cref="Previous"/> is null for a creation, <see cref="Current"/> for a deletion.</summary>
/// <param name="Deleted">The last state of a deleted object, with the resource version of its deletion.</param>
public sealed record WatchEvent(long ResourceVersion, StoredObject? Previous, StoredObject? Current, StoredObject? Deleted);
