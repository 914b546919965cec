using System.Diagnostics.Metrics;
using Danm.Ipam.Usage;
using Danm.State;

namespace Danm.Ipam;

/// <summary>
/// The instruments of address management, for a long-lived mode to serve. Counters come from the file that the node's calls count in,
/// so they cost the calls next to nothing and survive restarts of whoever serves them; gauges from the last report on usage.
/// </summary>
public sealed class IpamMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Danm.Ipam";

    private readonly Meter meter = new(MeterName);

    /// <param name="counters">What this node's calls have counted.</param>
    /// <param name="usage">The last report on the cluster's pools, for whoever may read all of them; null: calls only.</param>
    public IpamMetrics(NodeCounters counters, Func<UsageReport?>? usage = null)
    {
        Count("danm_ipam_allocations", "Addresses given out on this node.", NodeCounter.Allocations);
        Count("danm_ipam_conflicts", "Creates on this node that found the address taken.", NodeCounter.Conflicts);
        Count("danm_ipam_lists", "Lists of a segment's addresses by calls on this node, because blind tries had failed.", NodeCounter.Lists);
        Count("danm_ipam_exhaustions", "Claims on this node that failed since the pool had no free address.", NodeCounter.Exhausted);
        if (usage is null)
            return;
        Gauge("danm_ipam_pool_size", "Addresses that the network's pool spans.", p => (double)p.Pool.Size);
        Gauge("danm_ipam_pool_used", "Addresses of the network's pool that somebody has.", p => p.Used);
        Gauge("danm_ipam_pool_free", "Addresses of the network's pool that the next Pods can have.", p => (double)p.Free);
        Gauge("danm_ipam_pool_reserved", "Addresses of the network's pool that nobody can have.", p => p.Reserved);
        Gauge("danm_ipam_pool_outside", "Addresses that the network gave and that are not in its pool.", p => p.Outside);
        Gauge("danm_ipam_pool_leaked", "Addresses of the network whose Pod is gone.", p => p.Leaked);

        void Count(string name, string description, NodeCounter counter) =>
            meter.CreateObservableCounter(name, () => counters.Read()[counter], description: description);

        void Gauge(string name, string description, Func<PoolUsage, double> value) =>
            meter.CreateObservableGauge(name, () => (usage()?.Pools ?? []).Select(p => new Measurement<double>(value(p), Tags(p))), description: description);
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();

    private static KeyValuePair<string, object?>[] Tags(PoolUsage pool) =>
    [
        new("kind", pool.Network.Kind.ToString()), new("namespace", pool.Network.Namespace ?? ""), new("network", pool.Network.Name),
        new("family", pool.Pool.Subnet.IsIPv6 ? "ipv6" : "ipv4"),
    ];
}
