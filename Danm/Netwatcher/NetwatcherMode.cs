using Danm.Ipam;
using Danm.Kube;
using Danm.Kube.Events;
using Danm.Kube.Queues;
using Danm.Kube.Serving;
using Danm.Kube.Watching;
using Danm.Netlink;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// A node's long-lived program: its VLAN and VxLAN interfaces follow the networks, what CNI calls left behind is seen to, and its Pods'
/// <c>network-status</c> is kept. A help, not a condition: Pods start without it.
/// </summary>
internal sealed class NetwatcherMode(ApiClient api, NetwatcherOptions options, ILogger log)
{
    private const string Component = "danm-netwatcher";

    // What changes together is looked at together.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);

    // Of a thousand nodes, those that write before they hear that one has are few then.
    private static readonly TimeSpan WriteSpread = TimeSpan.FromSeconds(1);

    // Longer than any look takes; then something hangs, and a restart may help.
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    /// <summary>Runs until it is cancelled; the interfaces stay.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        log.Starts(options.NodeName);
        var state = new NodeState();
        using var host = new WorkQueue<string>("host", new WorkQueueOptions { FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(1) });
        using var writes = new WorkQueue<string>("writes", new WorkQueueOptions { FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(1) });
        using var pods = new WorkQueue<ObjectKey>("network-status");
        await using var events = new EventRecorder(api, Component, options.NodeName);

        var trouble = new ApiTrouble(log.ApiFailed, TimeProvider.System);
        var wishes = new NetworkWishes(api, options.NodeName, Wake, trouble.Tell);
        var statuses = new PodNetworkStatus(api, state, wishes.Pods, wishes.Endpoints, pods);
        var endpoints = options.Multicast ? null : new TunnelEndpoints(api, options.NodeName, Wake, trouble.Tell);
        var flooding = endpoints is null ? null : new UnicastFlooding(endpoints);
        var definitions = new DefinitionWriter(api, WriteSpread, trouble.Tell, log, TimeProvider.System);
        var report = new ProblemReport(events, log, TimeProvider.System);
        var look = new HostLoop(wishes, new HostReconciler(options.Multicast, options.Settle), flooding, state, report, trouble.Tell, log);
        var upkeep = new NodeUpkeep(api, state, options.Node, options.NodeName, options.Upkeep, log);

        var since = Environment.TickCount64;
        var looking = false;
        var checks = new HealthChecks();
        checks.Add("networks", Probe.Ready, () => wishes.IsComplete ? null : $"not listed yet: {string.Join(", ", wishes.Unknown)}");
        checks.Add("host", Probe.Live, () => Volatile.Read(ref looking) && Environment.TickCount64 - Volatile.Read(ref since) > Hang.TotalMilliseconds ? "a look at the host does not end" : null);
        using var calls = new IpamMetrics(state.Counters);
        using var addresses = new NodeAddressMetrics(wishes);
        using var metrics = new NetwatcherMetrics(() => look.Wanted, () => report.Count);
        await using var status = await ServeAsync(checks).ConfigureAwait(false);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var monitor = LinkMonitor.Start(Wake, stop.Token);
        Wake();
        await Together.RunAsync(
            stop,
            wishes.RunAsync(stop.Token),
            endpoints?.RunAsync(stop.Token),
            new ReconcileLoop<string>(host, LookAsync, log).RunAsync(stop.Token),
            new ReconcileLoop<string>(writes, WriteAsync, log).RunAsync(stop.Token),
            new ReconcileLoop<ObjectKey>(pods, statuses.WriteAsync, log).RunAsync(stop.Token),
            upkeep.RunAsync(stop.Token),
            IdleMemory.TrimAsync(TimeSpan.FromMinutes(10), stop.Token)).ConfigureAwait(false);
        monitor.Join();
        log.Ends();

        void Wake() => host.AddAfter(options.NodeName, Gather);

        async Task<Reconciled> LookAsync(string node, CancellationToken hurry)
        {
            (since, looking) = (Environment.TickCount64, true);
            try
            {
                return await look.LookAsync(options.Settle, hurry).ConfigureAwait(false);
            }
            finally
            {
                looking = false;
                writes.Add(node);
            }
        }

        // Apart from the host's repair, which waits for no API server.
        async Task<Reconciled> WriteAsync(string node, CancellationToken hurry)
        {
            if (endpoints is not null)
                await endpoints.PublishAsync(flooding!.Own, hurry).ConfigureAwait(false);
            await definitions.WriteAsync(look.Rewrites, hurry).ConfigureAwait(false);
            return definitions.NextTry is { } next ? Reconciled.After(next) : Reconciled.Done;
        }
    }

    // On the host's network a port may be somebody else's; interfaces matter more than being asked about them.
    private async Task<StatusServer?> ServeAsync(HealthChecks checks)
    {
        try
        {
            return await StatusServer.StartAsync(options.Health, options.Metrics, checks).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            log.ServesNothing(e.Message);
            return null;
        }
    }
}
