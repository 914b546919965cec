using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Danm.Tests.ApiServer.Store;

/// <summary>What etcd is to a real server: tables by resource, one revision counter, snapshots for paged lists.</summary>
public sealed class ObjectStore(int watchLogLimit = 100_000)
{
    private const int SnapshotLimit = 64;

    private readonly Lock writing = new();
    private readonly ConcurrentDictionary<string, ObjectTable> tables = new();
    private readonly Queue<(string Storage, long Revision)> snapshotOrder = new();
    private readonly Dictionary<(string Storage, long Revision), ImmutableSortedSet<StoredObject>> snapshots = [];
    private readonly OwnerIndex owners = new();
    private long revision = 1;

    /// <summary>Told of every change in the order of their revisions, before anybody else is; no write happens meanwhile.</summary>
    public event Action<ResourceType, WatchEvent>? Committed;

    public long Revision => Interlocked.Read(ref revision);

    public ObjectTable Table(ResourceType type) => tables.GetOrAdd(type.StorageName, _ => new ObjectTable());

    /// <summary>
    /// Replaces <paramref name="expected"/> (null: nothing) by <paramref name="body"/> (null: a deletion).
    /// False, and nothing changed, if the stored version is another one by now.
    /// </summary>
    /// <param name="needs">An object that must exist for the write to happen, such as its namespace.</param>
    public bool TryCommit(ResourceType type, string? ns, string name, StoredObject? expected, JsonObject? body,
        (ResourceType Type, string Name)? needs, out StoredObject? result)
    {
        result = null;
        lock (writing)
        {
            var table = Table(type);
            if (!ReferenceEquals(table.Find(ns, name), expected))
                return false;
            if (needs is { } other && Table(other.Type).Find(null, other.Name) is null)
                throw StatusException.NotFound(other.Type, other.Name);
            var next = revision + 1;
            result = StoredObject.From(body ?? expected!.Parse(), type, next);
            Interlocked.Exchange(ref revision, next);
            var change = body is null ? new WatchEvent(next, expected, null, result) : new WatchEvent(next, expected, result, null);
            Committed?.Invoke(type, change);
            table.Apply(change, watchLogLimit);
            owners.Replace(type, expected, body is null ? null : result);
            return true;
        }
    }

    /// <summary>Loads many new objects at once, without events: for large seeds before the first client.</summary>
    public void Load(ResourceType type, IEnumerable<JsonObject> bodies)
    {
        lock (writing)
        {
            var loaded = bodies.Select(b => StoredObject.From(b, type, ++revision)).ToArray();
            Table(type).Load(loaded);
            foreach (var item in loaded)
                owners.Replace(type, null, item);
            Table(type).Compact(revision);
        }
    }

    /// <summary>The objects that name this uid as an owner's.</summary>
    public IReadOnlyList<(ResourceType Type, StoredObject Dependent)> Dependents(string uid)
    {
        lock (writing)
            return [.. owners.Of(uid).Select(d => (d.Type, Table(d.Type).Find(d.Key)!))];
    }

    /// <summary>A consistent snapshot and the revision it belongs to.</summary>
    public (ImmutableSortedSet<StoredObject> Objects, long Revision) Snapshot(ResourceType type)
    {
        lock (writing)
            return (Table(type).Objects, revision);
    }

    public void Keep(ResourceType type, long at, ImmutableSortedSet<StoredObject> snapshot)
    {
        lock (writing)
        {
            if (!snapshots.TryAdd((type.StorageName, at), snapshot))
                return;
            snapshotOrder.Enqueue((type.StorageName, at));
            if (snapshotOrder.Count > SnapshotLimit)
                snapshots.Remove(snapshotOrder.Dequeue());
        }
    }

    public ImmutableSortedSet<StoredObject>? Kept(ResourceType type, long at)
    {
        lock (writing)
            return snapshots.GetValueOrDefault((type.StorageName, at));
    }

    /// <summary>Forgets history as etcd's compaction does: older watches and half-read pages get 410.</summary>
    public void Compact()
    {
        lock (writing)
        {
            snapshots.Clear();
            snapshotOrder.Clear();
            foreach (var table in tables.Values)
                table.Compact(revision);
        }
    }

    public void CloseWatches(ResourceType type)
    {
        lock (writing)
            Table(type).CloseWatches();
    }

    public Channel<WatchEvent>? Subscribe(ResourceType type, long since)
    {
        lock (writing)
            return Table(type).Subscribe(since);
    }

    /// <summary>The present state, and all changes after it.</summary>
    public (ImmutableSortedSet<StoredObject> Objects, long Revision, Channel<WatchEvent> Changes) SubscribeFromNow(ResourceType type)
    {
        lock (writing)
            return (Table(type).Objects, revision, Table(type).Subscribe(Math.Max(revision, Table(type).CompactedTo))!);
    }

    public void Unsubscribe(ResourceType type, Channel<WatchEvent> channel)
    {
        lock (writing)
            Table(type).Unsubscribe(channel);
    }
}
