using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer;

/// <summary>
/// What kube-controller-manager does in the background, done here within the write that makes it necessary: an object goes
/// with the last of its owners, and forgets those that are gone while others are there. An owner is found by kind, name and
/// uid, in the object's own namespace or in none. No webhook is asked.
/// </summary>
public sealed class GarbageCollector(ObjectStore store, ResourceCatalog catalog)
{
    /// <summary>An object was deleted.</summary>
    public void AfterDelete(StoredObject owner, bool orphans = false)
    {
        foreach (var (type, dependent) in store.Dependents(owner.Uid))
        {
            if (orphans)
                Forget(type, dependent, r => r["uid"].String() == owner.Uid);
            else
                AfterWrite(type, dependent);
        }
    }

    /// <summary>An object was written: its owners may have been gone before, or have never been.</summary>
    public void AfterWrite(ResourceType type, StoredObject item)
    {
        if (item.Owners.Length == 0)
            return;
        var owners = item.Parse().At("metadata", "ownerReferences")!.AsArray().Cast<JsonObject>().ToArray();
        var gone = owners.Where(o => IsGone(o, item.Namespace)).Select(o => o["uid"].String()).ToHashSet();
        if (gone.Count == 0)
            return;
        if (!owners.All(o => gone.Contains(o["uid"].String())))
            Forget(type, item, r => gone.Contains(r["uid"].String()));
        else if (store.TryCommit(type, item.Namespace, item.Name, item, null, null, out var deleted))
            AfterDelete(deleted!);
        // Else somebody wrote it meanwhile, and looks at it in turn.
    }

    /// <summary>Of a kind that is not served nothing can be said: its dependents stay.</summary>
    private bool IsGone(JsonObject reference, string? ns) =>
        catalog.FindKind(reference["apiVersion"].String(), reference["kind"].String()) is { } type
        && (type.Namespaced && ns is null || store.Table(type).Find(type.Namespaced ? ns : null, reference["name"].String()!)?.Uid != reference["uid"].String());

    private void Forget(ResourceType type, StoredObject item, Predicate<JsonObject> isForgotten)
    {
        var body = item.Parse();
        var metadata = (JsonObject)body["metadata"]!;
        var kept = metadata["ownerReferences"]!.AsArray().Cast<JsonObject>().Where(r => !isForgotten(r)).Select(r => r.DeepClone()).ToArray();
        metadata.Remove("ownerReferences");
        if (kept.Length > 0)
            metadata["ownerReferences"] = new JsonArray(kept);
        store.TryCommit(type, item.Namespace, item.Name, item, body, null, out _);
    }
}
