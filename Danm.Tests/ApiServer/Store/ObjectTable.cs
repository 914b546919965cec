using System.Collections.Immutable;
using System.Threading.Channels;

namespace Danm.Tests.ApiServer.Store;

/// <summary>
/// All objects of one resource: an immutable sorted set, so that a list is a consistent snapshot without a lock,
/// and the log of changes that watches start from. Writes happen under the store's lock.
/// </summary>
public sealed class ObjectTable
{
    private static readonly Comparer<StoredObject> ByKey = Comparer<StoredObject>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    // Each step by index is a walk down the tree: what comes soon is reached sooner by passing over the rest.
    private const int NearBeginning = 4096;

    private readonly Queue<WatchEvent> log = new();
    private readonly List<Channel<WatchEvent>> watchers = [];
    private volatile ImmutableSortedSet<StoredObject> objects = ImmutableSortedSet.Create<StoredObject>(ByKey);

    public ImmutableSortedSet<StoredObject> Objects => objects;

    /// <summary>Changes up to and including this version are no longer in the log.</summary>
    public long CompactedTo { get; private set; }

    public StoredObject? Find(string? ns, string name) => Find(StoredObject.KeyOf(ns, name));

    public StoredObject? Find(string key) => objects.TryGetValue(new StoredObject { Key = key }, out var found) ? found : null;

    /// <summary>The objects of a namespace (all for null) after <paramref name="after"/>, in key order.</summary>
    public static IEnumerable<StoredObject> Range(ImmutableSortedSet<StoredObject> snapshot, string? ns, string? after)
    {
        var prefix = ns is null ? "" : ns + "/";
        var start = after ?? prefix;
        var index = start.Length == 0 ? 0 : snapshot.IndexOf(new StoredObject { Key = start });
        index = index < 0 ? ~index : after is null ? index : index + 1;
        if (index <= NearBeginning)
        {
            foreach (var item in snapshot)
            {
                if (index-- > 0)
                    continue;
                if (ns is not null && !item.Key.StartsWith(prefix, StringComparison.Ordinal))
                    yield break;
                yield return item;
            }
            yield break;
        }
        for (; index < snapshot.Count; index++)
        {
            var item = snapshot[index];
            if (ns is not null && !item.Key.StartsWith(prefix, StringComparison.Ordinal))
                yield break;
            yield return item;
        }
    }

    internal void Apply(WatchEvent change, int logLimit)
    {
        // Readers take no lock: an object that is replaced must not be missing for a moment.
        var next = change.Previous is { } old ? objects.Remove(old) : objects;
        objects = change.Current is { } current ? next.Add(current) : next;
        log.Enqueue(change);
        while (log.Count > logLimit)
            CompactedTo = log.Dequeue().ResourceVersion;
        foreach (var watcher in watchers)
            watcher.Writer.TryWrite(change);
    }

    internal void Load(IEnumerable<StoredObject> items) => objects = objects.Union(items);

    internal void Compact(long revision)
    {
        log.Clear();
        CompactedTo = revision;
    }

    /// <summary>Ends all watches, as the removal of a CustomResourceDefinition does.</summary>
    internal void CloseWatches()
    {
        foreach (var watcher in watchers)
            watcher.Writer.TryComplete();
        watchers.Clear();
    }

    /// <returns>Null if changes after <paramref name="since"/> are no longer all in the log.</returns>
    internal Channel<WatchEvent>? Subscribe(long since)
    {
        if (since < CompactedTo)
            return null;
        var channel = Channel.CreateUnbounded<WatchEvent>();
        foreach (var change in log)
            if (change.ResourceVersion > since)
                channel.Writer.TryWrite(change);
        watchers.Add(channel);
        return channel;
    }

    internal void Unsubscribe(Channel<WatchEvent> channel) => watchers.Remove(channel);
}
