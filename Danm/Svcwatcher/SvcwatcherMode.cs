using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Kube.Events;
using Danm.Kube.Queues;
using Danm.Kube.Serving;
using Danm.Kube.Watching;
using Danm.Svcwatcher.CoreEndpoints;
using Danm.Svcwatcher.Slices;
using Danm.Svcwatcher.View;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher;

/// <summary>
/// Publishes the addresses of Pods' interfaces as the endpoints of Services that choose them. Several replicas stand for one Lease; one
/// writes, and the others know all that it knows.
/// </summary>
internal sealed class SvcwatcherMode(ApiClient api, SvcwatcherOptions options, ILogger log, TimeProvider? time = null)
{
    private const string Component = "danm-svcwatcher";
    private const int Workers = 8;

    private static readonly WorkQueueOptions Retries = new() { FirstRetry = TimeSpan.FromMilliseconds(50), LongestRetry = TimeSpan.FromMinutes(1), RetriesPerSecond = 100 };

    private readonly TimeProvider clock = time ?? TimeProvider.System;

    /// <summary>Runs until it is cancelled; the slices stay.</summary>
    /// <exception cref="LeadershipLostException">It led, and does so no more: the process is to end, and a new one stands anew.</exception>
    /// <exception cref="TimeoutException">The same, and its work did not end in time.</exception>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        log.Starts();
        var trouble = new ApiTrouble(log.ApiFailed, clock);
        var view = new ClusterView(api, trouble.Tell);
        var slices = new OwnSlices(api, trouble.Tell);
        var endpoints = new EndpointsSync(api, options.Endpoints, trouble.Tell);
        var known = Task.WhenAll(view.Complete, slices.Complete, endpoints.Complete);
        var checks = new HealthChecks();
        checks.Add("listed", Probe.Ready, () => known.IsCompleted ? null : $"not listed yet: {string.Join(", ", view.Unknown)}");
        await using var status = await StatusServer.StartAsync(options.Health, options.Metrics, checks).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Together.RunAsync(stop, view.RunAsync(stop.Token), slices.RunAsync(stop.Token), endpoints.RunAsync(stop.Token), StandAsync(stop.Token), TrimAsync(stop.Token)).ConfigureAwait(false);
        log.Ends();

        Task StandAsync(CancellationToken standing) => options.Election is { } election
            ? new LeaderElector(api, election, log).RunOnceAsync(LeadAsync, standing)
            : LeadAsync(standing);

        async Task TrimAsync(CancellationToken running)
        {
            await known.WaitAsync(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Once: later what is given back would be asked for again, and a large cluster takes a fifth of a second.
            await IdleMemory.TrimAsync(null, running).ConfigureAwait(false);
        }

        async Task LeadAsync(CancellationToken leading)
        {
            await new OriginalLock(api, trouble.Tell, log, clock).WaitAsync(leading).ConfigureAwait(false);
            await FindOriginalsAsync(leading).ConfigureAwait(false);
            await WorkAsync(view, slices, endpoints, known, leading).ConfigureAwait(false);
        }

        async Task FindOriginalsAsync(CancellationToken leading)
        {
            try
            {
                await endpoints.FindOriginalsAsync(leading).ConfigureAwait(false);
            }
            catch (ApiException e)
            {
                // Whoever leads next looks again; what matters more goes on.
                trouble.Tell(e.Message);
            }
            catch (OperationCanceledException) when (leading.IsCancellationRequested)
            {
                // The end.
            }
        }
    }

    private async Task WorkAsync(ClusterView view, OwnSlices slices, EndpointsSync endpoints, Task known, CancellationToken cancellation)
    {
        await known.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!known.IsCompletedSuccessfully)
            return;
        using var services = new WorkQueue<ObjectKey>("services", Retries, clock);
        using var labels = new WorkQueue<ObjectKey>("labels", Retries, clock);
        await using var events = new EventRecorder(api, Component, null, clock);
        var triggers = new TriggerTimes();
        var sync = new ServiceSync(api, view, slices, endpoints, triggers, new ServiceReport(events, log, clock), clock, log);

        view.Touched += Touch;
        view.Relabelled += Relabel;
        slices.Disturbed += Disturb;
        endpoints.Disturbed += Disturb;
        try
        {
            foreach (var service in view.Services.Union(slices.Services).Union(endpoints.Services))
                services.Add(service);
            foreach (var endpoint in view.Mislabelled)
                labels.Add(endpoint);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Together.RunAsync(
                stop,
                new ReconcileLoop<ObjectKey>(services, sync.SyncAsync, log, new ReconcileOptions { Workers = Workers }, clock).RunAsync(stop.Token),
                new ReconcileLoop<ObjectKey>(labels, new LabelSync(api, view).SyncAsync, log, new ReconcileOptions { Workers = Workers }, clock).RunAsync(stop.Token)).ConfigureAwait(false);
        }
        finally
        {
            view.Touched -= Touch;
            view.Relabelled -= Relabel;
            slices.Disturbed -= Disturb;
            endpoints.Disturbed -= Disturb;
        }

        void Relabel(ObjectKey endpoint) => labels.Add(endpoint);

        void Disturb(ObjectKey service) => services.Add(service);

        void Touch(ObjectKey service, string? trigger)
        {
            if (trigger is not null)
                triggers.Note(service, trigger);
            services.Add(service);
        }
    }
}
