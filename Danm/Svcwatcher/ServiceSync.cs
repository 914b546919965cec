using System.Net;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.Svcwatcher.Selection;
using Danm.Svcwatcher.Slices;
using Danm.Svcwatcher.View;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher;

/// <summary>Brings the slices of one Service to what they shall be.</summary>
internal sealed class ServiceSync(ApiClient api, ClusterView view, OwnSlices slices, TriggerTimes triggers, ServiceReport report, TimeProvider clock, ILogger log)
{
    private readonly SyncPace pace = new(clock);

    /// <summary>Looks, plans and writes.</summary>
    /// <exception cref="ApiException">Refused, or no answer: the key comes back.</exception>
    public async Task<Reconciled> SyncAsync(ObjectKey key, CancellationToken cancellation)
    {
        if (pace.Begin(key) is { } rest)
            return Reconciled.After(rest);
        var sight = view.Look(key);
        if (sight is null && !view.Exists(key))
        {
            pace.Forget(key);
            report.Forget(key);
        }

        if (sight is not null)
            report.Tell(sight.Service, sight.Reading.Faults);
        if (sight?.Reading.Choice is null)
            return await RemoveAllAsync(key, sight, cancellation).ConfigureAwait(false);
        var trigger = triggers.Take(key);
        try
        {
            var present = slices.Of(key);
            var plan = SlicePlanner.Plan(sight, present, trigger);
            if (!await WriteAsync(sight.Service, present, plan, cancellation).ConfigureAwait(false))
            {
                PutBack(key, trigger);
                return Reconciled.Retry;
            }

            return sight.Reading.Faults.Count > 0 ? Reconciled.After(ServiceReport.Again) : Reconciled.Done;
        }
        catch (Exception)
        {
            PutBack(key, trigger);
            throw;
        }
    }

    private void PutBack(ObjectKey key, string? trigger)
    {
        if (trigger is not null)
            triggers.Note(key, trigger);
    }

    /// <returns>Whether all was written; if not, somebody else was faster, or what is known is late.</returns>
    private async Task<bool> WriteAsync(Service service, List<EndpointSlice> present, SlicePlan plan, CancellationToken cancellation)
    {
        var ns = service.Metadata.Namespace;
        var all = ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, ns);
        using var names = SliceNames.Free(service, present.Select(s => s.Metadata.Name ?? "").ToHashSet()).GetEnumerator();
        foreach (var slice in plan.Create)
        {
            if (!await CreateAsync(all, slice, names, cancellation).ConfigureAwait(false))
                return false;
        }

        foreach (var slice in plan.Update)
        {
            try
            {
                var path = ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, ns, slice.Metadata.Name);
                slices.NoteWritten(await api.UpdateAsync(path, slice, ServiceJson.Default.EndpointSlice, cancellation).ConfigureAwait(false));
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

    private async Task<bool> CreateAsync(ResourcePath all, EndpointSlice slice, IEnumerator<string> names, CancellationToken cancellation)
    {
        while (names.MoveNext())
        {
            slice.Metadata.Name = names.Current;
            try
            {
                var (made, exists) = await api.TryCreateAsync(all, slice, ServiceJson.Default.EndpointSlice, cancellation).ConfigureAwait(false);
                if (exists is null)
                {
                    slices.NoteWritten(made.Object);
                    SvcwatcherMetrics.Changes.Add(1, SvcwatcherMetrics.Create);
                    return true;
                }
            }
            catch (ApiException e) when (e.Code == HttpStatusCode.Forbidden && e.Status?.Details?.Causes?.Exists(c => c.Reason == "NamespaceTerminating") == true)
            {
                return true; // With the namespace all goes.
            }

            // Ours, of which the watch will tell, or a stranger's: then the next name.
            var path = ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, slice.Metadata.Namespace, slice.Metadata.Name);
            var there = await api.TryGetAsync(path, ServiceJson.Default.EndpointSlice, cancellation).ConfigureAwait(false);
            if (there?.Metadata.Labels?.GetValueOrDefault(EndpointSlice.ManagedByLabel) != SliceTemplate.ManagedBy)
                continue;
            slices.NoteWritten(there);
            return false;
        }

        return false;
    }

    private async Task DeleteAsync(EndpointSlice slice, CancellationToken cancellation)
    {
        var path = ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, slice.Metadata.Namespace, slice.Metadata.Name);
        await api.DeleteAsync(path, slice.Metadata.Uid, cancellation).ConfigureAwait(false);
        slices.NoteDeleted(slice);
        SvcwatcherMetrics.Changes.Add(1, SvcwatcherMetrics.Delete);
    }

    /// <summary>The Service is gone, or says nothing to us, or cannot be served: what is ours goes.</summary>
    private async Task<Reconciled> RemoveAllAsync(ObjectKey key, ServiceSight? sight, CancellationToken cancellation)
    {
        var present = slices.Of(key);
        // A slice may be heard of before its Service: only the server knows.
        if (present.Count > 0 && sight is null && !view.Exists(key) && key.Name.Length > 0
            && await api.TryGetMetadataAsync(ResourcePath.Core("services", key.Namespace, key.Name), ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false) is not null)
            return Reconciled.Retry;
        foreach (var slice in present)
            await DeleteAsync(slice, cancellation).ConfigureAwait(false);
        triggers.Take(key);
        if (present.Count > 0)
            log.Wrote(key, 0, 0, present.Count);
        return sight?.Reading.Faults.Count > 0 ? Reconciled.After(ServiceReport.Again) : Reconciled.Done;
    }
}
