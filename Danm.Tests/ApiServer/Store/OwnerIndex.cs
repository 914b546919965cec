namespace Danm.Tests.ApiServer.Store;

/// <summary>Which objects name which uid as an owner's. Used under the store's lock alone.</summary>
internal sealed class OwnerIndex
{
    private readonly Dictionary<string, Dictionary<(string Storage, string Key), ResourceType>> dependents = [];

    public void Replace(ResourceType type, StoredObject? before, StoredObject? after)
    {
        foreach (var uid in before?.Owners ?? [])
            if (dependents.TryGetValue(uid, out var known) && known.Remove((type.StorageName, before!.Key)) && known.Count == 0)
                dependents.Remove(uid);
        foreach (var uid in after?.Owners ?? [])
        {
            if (!dependents.TryGetValue(uid, out var known))
                dependents[uid] = known = [];
            known[(type.StorageName, after!.Key)] = type;
        }
    }

    public IEnumerable<(ResourceType Type, string Key)> Of(string uid) =>
        dependents.TryGetValue(uid, out var known) ? known.Select(d => (d.Value, d.Key.Key)) : [];
}
