using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;

namespace Danm.Svcwatcher.Slices;

/// <summary>
/// The slices that are ours, by Service. What was just written is known at once and not only when the watch tells of it: a plan made of
/// what was before would be refused, or made twice.
/// </summary>
internal sealed class OwnSlices
{
    private const string Query = $"&labelSelector={EndpointSlice.ManagedByLabel}%3D{SliceTemplate.ManagedBy}";

    private readonly Lock gate = new();
    private readonly Informer<EndpointSlice> informer;
    private readonly Dictionary<ObjectKey, Dictionary<string, EndpointSlice>> byService = [];

    // Deleted by us, and the watch has not told yet.
    private readonly HashSet<string> gone = [];

    // Being written, and the uids of those of the name that went meanwhile: the watch may tell of the end before the answer comes.
    private readonly Dictionary<ObjectKey, HashSet<string>> writing = [];

    private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="api">The API server.</param>
    /// <param name="failed">Told what could not be read.</param>
    public OwnSlices(ApiClient api, Action<string> failed)
    {
        informer = new(api, ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, null), ServiceJson.Default.EndpointSlice, new InformerOptions { Query = Query });
        informer.Failed += failed;
        informer.Changed += Hear;
    }

    /// <summary>Somebody else has changed or deleted a slice of the Service.</summary>
    public event Action<ObjectKey>? Disturbed;

    /// <summary>Ends when all have been listed once.</summary>
    public Task Complete => complete.Task;

    /// <summary>The Services that there are slices of, be they there or not.</summary>
    public List<ObjectKey> Services
    {
        get
        {
            lock (gate)
                return [.. byService.Keys];
        }
    }

    /// <summary>The slices of a Service.</summary>
    public List<EndpointSlice> Of(ObjectKey service)
    {
        lock (gate)
            return [.. byService.GetValueOrDefault(service)?.Values ?? (IEnumerable<EndpointSlice>)[]];
    }

    /// <summary>Keeps it up to date until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) => informer.RunAsync(cancellation);

    /// <summary>One is going to be written or looked at, by one task at a time for each name; to be disposed of once the answer is noted.</summary>
    public Write Begin(ObjectKey slice)
    {
        lock (gate)
            writing[slice] = [];
        return new Write(this, slice);
    }

    /// <summary>One was deleted.</summary>
    public void NoteDeleted(EndpointSlice slice)
    {
        lock (gate)
        {
            if (Drop(slice))
                gone.Add(slice.Metadata.Uid ?? "");
        }
    }

    private void Hear(ObjectChange<EndpointSlice> change)
    {
        if (change is { Before: null, After: null })
        {
            foreach (var service in DropUnlisted())
                Disturbed?.Invoke(service);
            complete.TrySetResult();
            return;
        }

        // By others its labels may lead it to another Service.
        var isNews = change.Before is { } before && (change.After is null || ServiceOf(before) != ServiceOf(change.After)) && Forget(before);
        if (change.After is { } after)
            isNews |= Take(after);
        if (!isNews)
            return;
        Disturbed?.Invoke(ServiceOf((change.After ?? change.Before)!));
        if (change.Before is { } was && change.After is not null && ServiceOf(was) != ServiceOf(change.After))
            Disturbed?.Invoke(ServiceOf(was));
    }

    // What was written while there was no watch, and went before the next list, no event tells of.
    private HashSet<ObjectKey> DropUnlisted()
    {
        lock (gate)
        {
            gone.Clear();
            List<EndpointSlice> lost = [.. byService.Values.SelectMany(own => own.Values).Where(IsUnlisted)];
            lost.ForEach(s => Drop(s));
            return [.. lost.Select(ServiceOf)];
        }
    }

    private bool IsUnlisted(EndpointSlice slice) => ResourceVersion.Of(slice) <= ResourceVersion.Parse(informer.ListVersion)
        && (informer.Find(ObjectKey.Of(slice)) is not { } listed || listed.Metadata.Uid != slice.Metadata.Uid || ServiceOf(listed) != ServiceOf(slice));

    private bool Take(EndpointSlice slice)
    {
        lock (gate)
        {
            if (gone.Contains(slice.Metadata.Uid ?? ""))
                return false;
            if (!byService.TryGetValue(ServiceOf(slice), out var own))
                byService[ServiceOf(slice)] = own = [];
            var name = slice.Metadata.Name ?? "";
            if (own.TryGetValue(name, out var known) && known.Metadata.Uid == slice.Metadata.Uid && ResourceVersion.Of(known) >= ResourceVersion.Of(slice))
                return false;
            own[name] = slice;
            return true;
        }
    }

    private bool Forget(EndpointSlice slice)
    {
        lock (gate)
        {
            gone.Remove(slice.Metadata.Uid ?? "");
            if (writing.TryGetValue(ObjectKey.Of(slice), out var ended))
                ended.Add(slice.Metadata.Uid ?? "");
            return Drop(slice);
        }
    }

    private bool Drop(EndpointSlice slice)
    {
        var key = ServiceOf(slice);
        if (byService.GetValueOrDefault(key) is not { } own || own.GetValueOrDefault(slice.Metadata.Name ?? "")?.Metadata.Uid != slice.Metadata.Uid)
            return false;
        own.Remove(slice.Metadata.Name ?? "");
        if (own.Count == 0)
            byService.Remove(key);
        return true;
    }

    private static ObjectKey ServiceOf(EndpointSlice slice) => new(slice.Metadata.Namespace, slice.Metadata.Labels?.GetValueOrDefault(EndpointSlice.ServiceNameLabel) ?? "");

    /// <summary>A request that is on its way.</summary>
    public readonly struct Write(OwnSlices slices, ObjectKey slice) : IDisposable
    {
        /// <summary>The server has answered: it is so, or was and has already changed again.</summary>
        public void Note(EndpointSlice answer)
        {
            lock (slices.gate)
            {
                if (!slices.writing[slice].Contains(answer.Metadata.Uid ?? "") && !slices.IsUnlisted(answer))
                    slices.Take(answer);
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            lock (slices.gate)
                slices.writing.Remove(slice);
        }
    }
}
