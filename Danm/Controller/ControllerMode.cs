using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Kube.Events;
using Danm.Kube.Queues;
using Danm.Kube.Serving;
using Danm.Tenants;
using Microsoft.Extensions.Logging;

namespace Danm.Controller;

/// <summary>
/// What the whole cluster needs done once: the addresses of nodes that are gone are freed, and VLAN and VxLAN ids follow the TenantNetworks.
/// Several replicas stand for one Lease, and one works. Pods start without it.
/// </summary>
internal sealed class ControllerMode(ApiClient api, ControllerOptions options, ILogger log)
{
    private const string Component = "danm-controller";

    // What fails comes back at once, then less and less often.
    private static readonly WorkQueueOptions Retries = new() { FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(2) };

    /// <summary>Runs until it is cancelled.</summary>
    /// <exception cref="LeadershipLostException">It led, and does so no more: the process is to end, and a new one stands anew.</exception>
    /// <exception cref="TimeoutException">The same, and its work did not end in time.</exception>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        log.Starts();
        if (options.Vnis.Grace < TimeSpan.FromSeconds(90))
            log.IsShort(options.Vnis.Grace.TotalSeconds);
        await using var status = await StatusServer.StartAsync(options.Health, options.Metrics, new HealthChecks()).ConfigureAwait(false);
        if (options.Election is { } election)
            await new LeaderElector(api, election, log).RunOnceAsync(WorkAsync, cancellation).ConfigureAwait(false);
        else
            await WorkAsync(cancellation).ConfigureAwait(false);
        log.Ends();
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        var trouble = new ApiTrouble(log.ApiFailed, TimeProvider.System);
        using var nodeQueue = new WorkQueue<string>("gone-nodes", Retries);
        using var vniQueue = new WorkQueue<string>("vnis", Retries);
        await using var events = new EventRecorder(api, Component, null);
        var repair = new VniRepair(api, options.Vnis, events, log);
        using var vniMetrics = new VniMetrics(repair);
        using var nodeMetrics = new GoneNodeMetrics(TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Together.RunAsync(
            stop,
            new GoneNodeLoop(api, options.Nodes, nodeQueue, nodeMetrics, trouble.Tell, log).RunAsync(stop.Token),
            new VniLoop(api, repair, vniQueue, vniMetrics, trouble.Tell, log).RunAsync(stop.Token)).ConfigureAwait(false);
    }
}
