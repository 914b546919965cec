using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danm.Api;

namespace Danm.Kube.Watching;

/// <summary>What an <see cref="Informer{T}"/> knows of its kind.</summary>
public enum InformerState
{
    /// <summary>No whole list has come yet.</summary>
    Unknown,

    /// <summary>Everything that exists is known.</summary>
    Listed,

    /// <summary>The server has no such kind, and has said so for a while.</summary>
    Absent,
}

/// <summary>
/// Keeps a copy of the objects of one kind: a paged list, then a watch from where the list ended, as Kubernetes' API concepts ("efficient
/// detection of changes") describe it. While the server is away the copy stays as it was; an object counts as deleted only when the
/// watch or a whole list says so.
/// </summary>
/// <typeparam name="T">The kind; objects that are handed out are never changed.</typeparam>
public sealed class Informer<T>(ApiClient api, ResourcePath path, JsonTypeInfo<T> type, InformerOptions options)
    where T : class, IApiObject
{
    private const int PageSize = 500;

    private readonly Lock gate = new();
    private Dictionary<ObjectKey, T> items = [];
    private long absentSince = -1;

    /// <summary>What was heard; called from the informer's own task, one after the other, after the copy has changed.</summary>
    public event Action<ObjectChange<T>>? Changed;

    /// <summary>What could not be done or read; for the log.</summary>
    public event Action<string>? Failed;

    /// <summary>How far the copy is to be trusted.</summary>
    public InformerState State { get; private set; }

    /// <summary>The resourceVersion of the last whole list; null: there was none.</summary>
    public string? ListVersion { get; private set; }

    /// <summary>All objects, as of now.</summary>
    public IReadOnlyList<T> Items
    {
        get
        {
            lock (gate)
                return [.. items.Values];
        }
    }

    /// <summary>One object; null if there is none.</summary>
    public T? Find(ObjectKey key)
    {
        lock (gate)
            return items.GetValueOrDefault(key);
    }

    /// <summary>Lists and watches until it is cancelled; no failure ends it.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var failures = 0;
        string? version = null;
        while (!cancellation.IsCancellationRequested)
        {
            string? failure;
            try
            {
                var from = version ?? await ListAsync(cancellation).ConfigureAwait(false);
                (version, failure) = await WatchAsync(from, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                version = null;
                NoteAbsence();
                await DelayAsync(State == InformerState.Absent ? options.AbsentPause : options.AbsentGrace, cancellation).ConfigureAwait(false);
                continue;
            }
            catch (ApiException e)
            {
                (version, failure) = (null, e.Message);
            }

            if (failure is null)
            {
                failures = 0;
                // The version is too old: a new list, but not from every node of a cluster at once.
                if (version is null)
                    await DelayAsync(TimeSpan.FromSeconds(1), cancellation).ConfigureAwait(false);
                continue;
            }

            absentSince = -1;
            Failed?.Invoke(failure);
            await DelayAsync(TimeSpan.FromSeconds(Math.Min(30, 0.5 * Math.Pow(2, failures++))), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The resourceVersion of a whole list, which has replaced the copy.</summary>
    private async Task<string> ListAsync(CancellationToken cancellation)
    {
        var found = new Dictionary<ObjectKey, T>();
        string? version = null;
        // Read where it lies: an object in memory for each that is kept, and none for what is not.
        await foreach (var page in ObjectPages.ReadPagesAsync(api, path, $"limit={PageSize}{options.Query}", options.MetadataOnly, cancellation).ConfigureAwait(false))
            version = ReadPage(page.Span, found);
        ListVersion = version;
        Replace(found, InformerState.Listed);
        absentSince = -1;
        return version ?? "0";
    }

    /// <summary>The page's resourceVersion; what is in it goes into <paramref name="found"/>.</summary>
    /// <exception cref="ApiException">No list.</exception>
    private string? ReadPage(ReadOnlySpan<byte> page, Dictionary<ObjectKey, T> found)
    {
        try
        {
            var json = ListJson.Items(page);
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                if (Read(ref json) is { } item)
                    found[ObjectKey.Of(item)] = item;
            }

            return ListJson.Metadata(page).ResourceVersion;
        }
        catch (JsonException e)
        {
            throw new ApiException($"GET {path}", $"the answer is no valid list: {e.Message}", e);
        }
    }

    /// <summary>Where the next watch begins, null if only a list helps; and what went wrong.</summary>
    /// <exception cref="ApiException">Refused.</exception>
    private async Task<(string? Version, string? Failure)> WatchAsync(string version, CancellationToken cancellation)
    {
        // The server ends a watch after this time; a random one keeps a cluster's nodes apart.
        var seconds = (int)Jitter(options.WatchTime).TotalSeconds;
        var query = string.Create(CultureInfo.InvariantCulture, $"watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}{options.Query}");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds + 30));
        HttpResponseMessage response;
        try
        {
            response = await api.OpenWatchAsync(path, query, limit.Token, options.MetadataOnly).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.Code == HttpStatusCode.Gone)
        {
            return (null, null);
        }
        catch (ApiException e) when (e.Code is null or HttpStatusCode.TooManyRequests)
        {
            // Nothing is missed yet: after a server's restart not every node is to list everything.
            return (version, e.Message);
        }

        var opened = Environment.TickCount64;
        var isEmpty = true;
        using (response)
        {
            try
            {
                using var body = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
                await foreach (var e in WatchLines.ReadAsync(body, $"GET {path}", limit.Token).ConfigureAwait(false))
                {
                    isEmpty = false;
                    if (e.Type == WatchEvent.Error)
                    {
                        var status = StatusOf(e);
                        return (null, status.Code == (int)HttpStatusCode.Gone ? null : $"GET {path}: {status.Message ?? "the watch failed"}");
                    }

                    version = Apply(e) ?? version;
                }
            }
            catch (Exception e) when (e is IOException or HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                // A broken connection loses nothing: the watch goes on from the last version.
                await Task.Delay(Jitter(TimeSpan.FromMilliseconds(500)), cancellation).ConfigureAwait(false);
            }
        }

        // What only claims to be an API server may end every watch at once.
        if (isEmpty && Environment.TickCount64 - opened < 1000)
            await Task.Delay(Jitter(TimeSpan.FromSeconds(1)), cancellation).ConfigureAwait(false);
        return (version, null);
    }

    /// <summary>The version that the event brings the copy to; null if it does not say.</summary>
    private string? Apply(WatchEvent e)
    {
        var meta = MetadataOf(e.Object);
        if (e.Type != WatchEvent.Bookmark && meta.Name is not null)
        {
            var key = new ObjectKey(meta.Namespace, meta.Name);
            var after = e.Type == WatchEvent.Deleted ? null : Read(e.Object);
            T? before;
            lock (gate)
            {
                before = items.GetValueOrDefault(key);
                if (after is null)
                    items.Remove(key);
                else
                    items[key] = after;
            }

            if (before != after)
                Changed?.Invoke(new(before, after));
        }

        return meta.ResourceVersion;
    }

    private void Replace(Dictionary<ObjectKey, T> found, InformerState state)
    {
        Dictionary<ObjectKey, T> before;
        lock (gate)
        {
            before = items;
            items = found;
            State = state;
        }

        foreach (var (key, item) in found)
        {
            if (before.GetValueOrDefault(key) is not { } old || old.Metadata.ResourceVersion != item.Metadata.ResourceVersion)
                Changed?.Invoke(new(before.GetValueOrDefault(key), item));
        }

        foreach (var (key, old) in before)
        {
            if (!found.ContainsKey(key))
                Changed?.Invoke(new(old, null));
        }

        Changed?.Invoke(default);
    }

    // A server that starts says 503 until it knows its kinds; what stands before it may not. So nothing is taken for deleted at the first 404.
    private void NoteAbsence()
    {
        var now = Environment.TickCount64;
        if (absentSince < 0)
            absentSince = now;
        if (State != InformerState.Absent && now - absentSince >= options.AbsentGrace.TotalMilliseconds)
            Replace([], InformerState.Absent);
    }

    // One object that is not as it should be (older than its schema) must not hide the others; what was known of it before stays.
    private T? Read(ref Utf8JsonReader json)
    {
        var start = json;
        try
        {
            return JsonSerializer.Deserialize(ref json, type);
        }
        catch (JsonException e)
        {
            json = start;
            json.Skip();
            return Unreadable(MetadataOf(ref start), e);
        }
    }

    private T? Read(JsonElement element)
    {
        try
        {
            return element.Deserialize(type);
        }
        catch (JsonException e)
        {
            return Unreadable(MetadataOf(element), e);
        }
    }

    private T? Unreadable(ObjectMeta meta, JsonException why)
    {
        Failed?.Invoke($"{path}: {meta.Namespace}/{meta.Name} cannot be read: {why.Message}");
        return meta.Name is null ? null : Find(new(meta.Namespace, meta.Name));
    }

    private static ObjectMeta MetadataOf(ref Utf8JsonReader json)
    {
        try
        {
            return JsonSerializer.Deserialize(ref json, ApiJson.Default.PartialObject)?.Metadata ?? new();
        }
        catch (JsonException)
        {
            return new();
        }
    }

    private static ObjectMeta MetadataOf(JsonElement element) => TryRead(element, ApiJson.Default.PartialObject)?.Metadata ?? new();

    private static Status StatusOf(WatchEvent e) => TryRead(e.Object, ApiJson.Default.Status) ?? new();

    private static TPart? TryRead<TPart>(JsonElement element, JsonTypeInfo<TPart> part)
        where TPart : class
    {
        try
        {
            // An event without any object has not even null.
            return element.ValueKind == JsonValueKind.Object ? element.Deserialize(part) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static TimeSpan Jitter(TimeSpan time) => time * (0.5 + Random.Shared.NextDouble());

    private static async Task DelayAsync(TimeSpan time, CancellationToken cancellation) =>
        await Task.Delay(Jitter(time), cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

/// <summary>How an informer asks; the defaults suit a cluster.</summary>
public sealed record InformerOptions
{
    /// <summary>More of the query, ready-made: <c>&amp;labelSelector=…</c>, values escaped.</summary>
    public string Query { get; init; } = "";

    /// <summary>
    /// Whether the server leaves out everything but the metadata. The objects then say of themselves that they are of kind
    /// PartialObjectMetadata: <see cref="PartialObject"/> takes any.
    /// </summary>
    public bool MetadataOnly { get; init; }

    /// <summary>About how long one watch lasts.</summary>
    public TimeSpan WatchTime { get; init; } = TimeSpan.FromMinutes(8);

    /// <summary>About how long it waits before it asks again for a kind that the server does not know.</summary>
    public TimeSpan AbsentPause { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the server must not know the kind before its objects count as deleted.</summary>
    public TimeSpan AbsentGrace { get; init; } = TimeSpan.FromSeconds(3);
}

/// <summary>An object came (no <paramref name="Before"/>), changed, or went (no <paramref name="After"/>); neither: a list is complete.</summary>
/// <param name="Before">As it was known.</param>
/// <param name="After">As it is.</param>
public readonly record struct ObjectChange<T>(T? Before, T? After)
    where T : class;
