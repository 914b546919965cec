using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.Svcwatcher.CoreEndpoints;
using Danm.Svcwatcher.Selection;
using Danm.Svcwatcher.Slices;
using Danm.Svcwatcher.View;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher;

/// <summary>Brings what is published for one Service to what it shall be.</summary>
internal sealed class ServiceSync(
    ApiClient api, ClusterView view, OwnSlices slices, EndpointsSync endpoints, TriggerTimes triggers, ServiceReport report, TimeProvider clock, ILogger log)
{
    private readonly SyncPace pace = new(clock);
    private readonly SliceWriter writer = new(api, slices, log);

    /// <summary>Looks, plans and writes.</summary>
    /// <exception cref="ApiException">Refused, or no answer: the key comes back.</exception>
    public async Task<Reconciled> SyncAsync(ObjectKey key, CancellationToken cancellation)
    {
        if (pace.Begin(key) is { } rest)
            return Reconciled.NotYet(rest);
        // Before the look: what happens after it is the next write's.
        var trigger = triggers.Take(key);
        var sight = view.Look(key);
        if (sight is null)
        {
            pace.Forget(key);
            report.Forget(key);
        }

        var faults = sight?.Reading.Faults ?? [];
        var again = ServiceReport.Again;
        try
        {
            if (sight?.Reading.Choice is null)
            {
                if (!await RemoveAllAsync(key, sight, cancellation).ConfigureAwait(false))
                    return Reconciled.Retry;
            }
            else
            {
                var (isDone, fault) = await PublishAsync(key, sight, trigger, cancellation).ConfigureAwait(false);
                if (!isDone)
                    return Reconciled.Retry;
                // Of a stranger's object that goes no watch tells.
                if (fault is not null)
                    (faults, again) = ([.. faults, fault], EndpointsSync.Again);
            }
        }
        finally
        {
            if (sight is not null)
                report.Tell(sight.Service, faults);
        }

        return faults.Count > 0 ? Reconciled.After(again) : Reconciled.Done;
    }

    private async Task<(bool IsDone, ServiceFault? Fault)> PublishAsync(ObjectKey key, ServiceSight sight, string? trigger, CancellationToken cancellation)
    {
        var isDone = false;
        try
        {
            var present = slices.Of(key);
            // What goes with its Service, slice by slice, is not made again.
            if (sight.Service.Metadata.DeletionTimestamp is not null)
                return (isDone = true, null);
            if (!await writer.WriteAsync(sight.Service, present, SlicePlanner.Plan(sight, present, trigger), cancellation).ConfigureAwait(false))
                return (false, null);
            (isDone, var fault) = await endpoints.SyncAsync(sight, trigger, cancellation).ConfigureAwait(false);
            return (isDone, fault);
        }
        finally
        {
            // What is not written yet is to say so when it is.
            if (!isDone && trigger is not null)
                triggers.Note(key, trigger);
        }
    }

    /// <summary>The Service is gone, or says nothing to us, or cannot be served: what is ours goes.</summary>
    /// <returns>Whether it went; if not, what is known is late.</returns>
    private async Task<bool> RemoveAllAsync(ObjectKey key, ServiceSight? sight, CancellationToken cancellation)
    {
        var present = slices.Of(key);
        // A slice may be heard of before its Service: only the server knows.
        if ((present.Count > 0 || endpoints.Has(key)) && sight is null && !view.Exists(key) && key.Name.Length > 0
            && await api.TryGetMetadataAsync(ResourcePath.Core("services", key.Namespace, key.Name), ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false) is not null)
            return false;
        await writer.DeleteAsync(key, present, cancellation).ConfigureAwait(false);
        return await endpoints.RemoveAsync(key, isServed: false, cancellation).ConfigureAwait(false);
    }
}
