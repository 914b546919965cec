using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher.Slices;

/// <summary>Writes what is planned, and notes at once what there is then.</summary>
internal sealed class SliceWriter(ApiClient api, OwnSlices slices, ILogger log)
{
    /// <summary>Brings a Service's slices to what is planned.</summary>
    /// <returns>Whether all was written; if not, somebody else was faster, or what is known is late.</returns>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<bool> WriteAsync(Service service, IReadOnlyList<EndpointSlice> present, SlicePlan plan, CancellationToken cancellation)
    {
        using var names = SliceNames.Free(service, present.Select(s => s.Metadata.Name ?? "").ToHashSet()).GetEnumerator();
        foreach (var slice in plan.Create)
        {
            if (!await CreateAsync(slice, names, cancellation).ConfigureAwait(false))
                return false;
        }

        foreach (var slice in plan.Update)
        {
            try
            {
                using var write = slices.Begin(ObjectKey.Of(slice));
                write.Note(await api.UpdateAsync(PathOf(slice), slice, ServiceJson.Default.EndpointSlice, cancellation).ConfigureAwait(false));
                SvcwatcherMetrics.Changes.Add(1, SvcwatcherMetrics.Update);
            }
            catch (ApiException e) when (e.IsConflict || e.IsNotFound)
            {
                return false;
            }
        }

        foreach (var slice in plan.Delete)
            await DeleteAsync(slice, cancellation).ConfigureAwait(false);
        if (plan.Writes > 0)
            log.Wrote(ObjectKey.Of(service), plan.Create.Count, plan.Update.Count, plan.Delete.Count);
        return true;
    }

    /// <summary>Deletes all of a Service.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task DeleteAsync(ObjectKey service, IReadOnlyList<EndpointSlice> present, CancellationToken cancellation)
    {
        foreach (var slice in present)
            await DeleteAsync(slice, cancellation).ConfigureAwait(false);
        if (present.Count > 0)
            log.Wrote(service, 0, 0, present.Count);
    }

    private async Task<bool> CreateAsync(EndpointSlice slice, IEnumerator<string> names, CancellationToken cancellation)
    {
        var all = ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, slice.Metadata.Namespace);
        while (names.MoveNext())
        {
            slice.Metadata.Name = names.Current;
            using var write = slices.Begin(ObjectKey.Of(slice));
            try
            {
                var (made, exists) = await api.TryCreateAsync(all, slice, ServiceJson.Default.EndpointSlice, cancellation).ConfigureAwait(false);
                if (exists is null)
                {
                    write.Note(made.Object);
                    SvcwatcherMetrics.Changes.Add(1, SvcwatcherMetrics.Create);
                    return true;
                }
            }
            catch (ApiException e) when (e.IsNamespaceTerminating)
            {
                return true; // With the namespace all goes.
            }

            // Ours, of which the watch will tell, or a stranger's: then the next name.
            var there = await api.TryGetAsync(PathOf(slice), ServiceJson.Default.EndpointSlice, cancellation).ConfigureAwait(false);
            if (there?.Metadata.Labels?.GetValueOrDefault(EndpointSlice.ManagedByLabel) != SliceTemplate.ManagedBy
                || there.Metadata.Labels.GetValueOrDefault(EndpointSlice.ServiceNameLabel) != slice.Metadata.Labels![EndpointSlice.ServiceNameLabel])
                continue;
            write.Note(there);
            return false;
        }

        return false;
    }

    private async Task DeleteAsync(EndpointSlice slice, CancellationToken cancellation)
    {
        await api.DeleteAsync(PathOf(slice), slice.Metadata.Uid, cancellation).ConfigureAwait(false);
        slices.NoteDeleted(slice);
        SvcwatcherMetrics.Changes.Add(1, SvcwatcherMetrics.Delete);
    }

    private static ResourcePath PathOf(EndpointSlice slice) => ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, slice.Metadata.Namespace, slice.Metadata.Name);
}
