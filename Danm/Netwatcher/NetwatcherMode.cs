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
    /// <exception cref="IOException">An address of the probes or metrics cannot be listened on.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        log.Starts(options.NodeName);
        var state = new NodeState();
        using var host = new WorkQueue<string>("host", new WorkQueueOptions { FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(1) });
        using var pods = new WorkQueue<ObjectKey>("network-status");
        await using var events = new EventRecorder(api, Component, options.NodeName);

        var trouble = new ApiTrouble(log, TimeProvider.System);
        var wishes = new NetworkWishes(api, options.NodeName, Wake, trouble.Tell);
        var statuses = new PodNetworkStatus(api, state, options.NodeName, wishes.Endpoints, pods, trouble.Tell);
        var endpoints = options.Multicast ? null : new TunnelEndpoints(api, options.NodeName, Wake, trouble.Tell, log);
        var report = new ProblemReport(events, log, TimeProvider.System);
        var look = new HostLoop(
            wishes, new HostReconciler(options.Multicast, options.Settle), new DefinitionWriter(api, WriteSpread, trouble.Tell, log, TimeProvider.System), endpoints is null ? null : new UnicastFlooding(endpoints), endpoints, report, log);
        var upkeep = new NodeUpkeep(api, state, options.Node, options.NodeName, options.Upkeep, log);

        var since = Environment.TickCount64;
        var looking = false;
        var checks = new HealthChecks();
        checks.Add("networks", Probe.Ready, () => wishes.IsComplete ? null : $"not listed yet: {string.Join(", ", wishes.Unknown)}");
        checks.Add("host", Probe.Live, () => Volatile.Read(ref looking) && Environment.TickCount64 - Volatile.Read(ref since) > Hang.TotalMilliseconds ? "a look at the host does not end" : null);
        using var calls = new IpamMetrics(state.Counters);
        using var addresses = new NodeAddressMetrics(wishes);
        using var metrics = new NetwatcherMetrics(() => look.Wanted, () => report.Count);
        await using var status = await StatusServer.StartAsync(options.Health, options.Metrics, checks).ConfigureAwait(false);

        var monitor = LinkMonitor.Start(Wake, cancellation);
        Wake();
        await Task.WhenAll(
            wishes.RunAsync(cancellation),
            endpoints?.RunAsync(cancellation) ?? Task.CompletedTask,
            new ReconcileLoop<string>(host, LookAsync, log).RunAsync(cancellation),
            statuses.RunAsync(log, cancellation),
            upkeep.RunAsync(cancellation)).ConfigureAwait(false);
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
            }
        }
    }
}
