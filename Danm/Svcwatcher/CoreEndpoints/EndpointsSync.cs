using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;
using Danm.Svcwatcher.Selection;
using Danm.Svcwatcher.Slices;

namespace Danm.Svcwatcher.CoreEndpoints;

/// <summary>
/// Writes Endpoints for clients that do not read EndpointSlices; where they are not wanted it removes those that are left. Of what it has
/// written only a digest is kept: a thousand Services may have a thousand addresses each.
/// </summary>
internal sealed class EndpointsSync
{
    /// <summary>After how long a stranger's Endpoints in our place are looked at again.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private const string Query = $"&labelSelector={Endpoints.ManagedByLabel}%3D{SliceTemplate.ManagedBy}";

    private readonly ApiClient api;
    private readonly bool isWanted;
    private readonly Informer<PartialObject> informer;
    private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();

    // An empty digest is of one that is being written; it goes if the watch tells of the end before the answer comes.
    private readonly Dictionary<ObjectKey, (string? Version, string Digest)> written = [];

    // What the original has left.
    private readonly Dictionary<ObjectKey, ObjectMeta> originals = [];

    /// <param name="api">The API server.</param>
    /// <param name="isWanted">Whether there shall be any.</param>
    /// <param name="failed">Told what could not be read.</param>
    public EndpointsSync(ApiClient api, bool isWanted, Action<string> failed)
    {
        (this.api, this.isWanted) = (api, isWanted);
        informer = new(api, ResourcePath.Core(Endpoints.Plural, null), ApiJson.Default.PartialObject, new InformerOptions { Query = Query, MetadataOnly = true });
        informer.Failed += failed;
        informer.Changed += Hear;
    }

    /// <summary>Somebody else has changed or deleted what is ours.</summary>
    public event Action<ObjectKey>? Disturbed;

    /// <summary>Ends when all of ours have been listed once.</summary>
    public Task Complete => complete.Task;

    /// <summary>The Services that there are Endpoints of ours for, be they there or not.</summary>
    public IEnumerable<ObjectKey> Services => informer.Items.Select(ObjectKey.Of);

    /// <summary>Whether there are Endpoints of ours for a Service.</summary>
    public bool Has(ObjectKey service) => informer.Find(service) is not null;

    /// <summary>Keeps itself up to date until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) => informer.RunAsync(cancellation);

    /// <summary>Brings the Endpoints of a Service to what they shall be.</summary>
    /// <param name="sight">The Service and its interfaces; it has a choice.</param>
    /// <param name="trigger">When what has changed happened; null: not known.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Whether it is so now, and what keeps it from being so for good.</returns>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<(bool IsDone, ServiceFault? Fault)> SyncAsync(ServiceSight sight, string? trigger, CancellationToken cancellation)
    {
        var key = ObjectKey.Of(sight.Service);
        // With its Service it goes; and with its namespace all does.
        if (sight.Service.Metadata.DeletionTimestamp is not null)
            return (true, null);
        if (!isWanted)
        {
            return (await RemoveAsync(key, isServed: true, cancellation).ConfigureAwait(false), null);
        }

        var digest = Digest(EndpointsTemplate.Make(sight, null));
        if (IsWritten(key, digest))
            return (true, null);
        lock (gate)
            written[key] = default;
        var wanted = EndpointsTemplate.Make(sight, trigger);
        var path = PathOf(key);
        var present = await api.TryGetAsync(path, ServiceJson.Default.Endpoints, cancellation).ConfigureAwait(false);
        if (present is null)
        {
            try
            {
                var (made, exists) = await api.TryCreateAsync(ResourcePath.Core(Endpoints.Plural, key.Namespace), wanted, ServiceJson.Default.Endpoints, cancellation).ConfigureAwait(false);
                if (exists is not null)
                    return (false, null);
                Note(key, made.Object, digest);
            }
            catch (ApiException e) when (e.IsNamespaceTerminating)
            {
                // As above.
            }

            return (true, null);
        }

        if (!EndpointsTemplate.IsOurs(present.Metadata))
            return (true, new ServiceFault(ServiceReading.ForeignEndpoints, $"there is an Endpoints {key.Name} that Danm did not write, and old clients read that: delete it, and Danm writes its own"));
        if (!EndpointsTemplate.IsSame(present, wanted))
        {
            wanted.Metadata.ResourceVersion = present.Metadata.ResourceVersion;
            wanted.Metadata.Uid = present.Metadata.Uid;
            wanted.Metadata.Finalizers = present.Metadata.Finalizers;
            try
            {
                present = await api.UpdateAsync(path, wanted, ServiceJson.Default.Endpoints, cancellation).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsConflict || e.IsNotFound)
            {
                return (false, null);
            }
        }

        Note(key, present, digest);
        return (true, null);
    }

    /// <summary>Removes what is ours of a Service.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="isServed">Whether we publish for it, so that what the original wrote for it is in the way.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Whether it went; if not, what is known is late, or somebody else has taken it over.</returns>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<bool> RemoveAsync(ObjectKey service, bool isServed, CancellationToken cancellation)
    {
        ObjectMeta? present;
        lock (gate)
        {
            written.Remove(service);
            present = informer.Find(service)?.Metadata ?? (isServed ? originals.GetValueOrDefault(service) : null);
            originals.Remove(service);
        }

        // Kubernetes' own controller changes the object in place where a Service gets a spec.selector: that is not to be deleted.
        return present is null || await api.DeleteIfAsync(PathOf(service), new Preconditions { Uid = present.Uid, ResourceVersion = present.ResourceVersion }, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Finds what the original has left, which has no label of ours: Kubernetes mirrors it into EndpointSlices, so its addresses would stay for
    /// ever beside those that we publish. Once, since the original is not there any more.
    /// </summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task FindOriginalsAsync(CancellationToken cancellation)
    {
        var all = ResourcePath.Core(Endpoints.Plural, null);
        await foreach (var page in ObjectPages.ReadAsync(api, all, null, ServiceJson.Default.ObjectListPartialObject, cancellation, metadataOnly: true).ConfigureAwait(false))
        {
            lock (gate)
            {
                foreach (var endpoints in page.Where(e => e.Metadata.Labels?.ContainsKey(Endpoints.ManagedByLabel) != true && EndpointsTemplate.IsOurs(e.Metadata)))
                    originals[ObjectKey.Of(endpoints)] = endpoints.Metadata;
            }
        }
    }

    private void Hear(ObjectChange<PartialObject> change)
    {
        if ((change.After ?? change.Before) is not { } endpoints)
        {
            foreach (var lost in DropUnlisted())
                Disturbed?.Invoke(lost);
            complete.TrySetResult();
            return;
        }

        var key = ObjectKey.Of(endpoints);
        lock (gate)
        {
            var isKnown = written.TryGetValue(key, out var known);
            if (isKnown && change.After is not null && known.Version == change.After.Metadata.ResourceVersion)
                return;
            if (change.After is null || known.Version is not null)
                written.Remove(key);
        }

        Disturbed?.Invoke(key);
    }

    // What was written while there was no watch, and went before the next list, no event tells of.
    private List<ObjectKey> DropUnlisted()
    {
        lock (gate)
        {
            List<ObjectKey> lost = [.. written.Where(w => w.Value.Version is { } version && IsUnlisted(w.Key, version)).Select(w => w.Key)];
            lost.ForEach(k => written.Remove(k));
            return lost;
        }
    }

    private bool IsUnlisted(ObjectKey key, string version) => ResourceVersion.Parse(version) <= ResourceVersion.Parse(informer.ListVersion) && informer.Find(key) is null;

    private bool IsWritten(ObjectKey key, string digest)
    {
        lock (gate)
            return written.TryGetValue(key, out var known) && known.Digest == digest;
    }

    private void Note(ObjectKey key, Endpoints endpoints, string digest)
    {
        lock (gate)
        {
            // By now it may have gone, or been changed: then it is looked at again, since somebody was told.
            if (!written.ContainsKey(key) || (informer.Find(key) is { } later && ResourceVersion.Of(later) > ResourceVersion.Of(endpoints)) || IsUnlisted(key, endpoints.Metadata.ResourceVersion ?? ""))
                written.Remove(key);
            else
                written[key] = (endpoints.Metadata.ResourceVersion, digest);
        }
    }

    private static string Digest(Endpoints endpoints) => Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(endpoints, ServiceJson.Default.Endpoints)));

    private static ResourcePath PathOf(ObjectKey service) => ResourcePath.Core(Endpoints.Plural, service.Namespace, service.Name);
}
