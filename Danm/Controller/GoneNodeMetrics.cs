using System.Diagnostics.Metrics;
using Danm.Ipam.Garbage;

namespace Danm.Controller;

/// <summary>What the passes over gone nodes tell Prometheus, for as long as this process leads.</summary>
internal sealed class GoneNodeMetrics : IDisposable
{
    private const string MeterName = "Danm.Controller";

    private static readonly Meter Shared = new(MeterName);

    private static readonly Counter<long> Addresses = Shared.CreateCounter<long>("danm_gone_node_addresses_freed", description: "IPAllocations of gone nodes that were deleted.");

    private static readonly Counter<long> Endpoints = Shared.CreateCounter<long>("danm_gone_node_endpoints_freed", description: "DanmEps of gone nodes that were deleted.");

    private static readonly Counter<long> Failures = Shared.CreateCounter<long>("danm_gone_node_failures", description: "Deletes for gone nodes that failed, and passes that could not read all they needed.");

    // The fates that a node can have, apart from simply being there.
    private static readonly (NodeFate Fate, string Label)[] Told = [(NodeFate.Absent, "absent"), (NodeFate.TaintedButReady, "tainted"), (NodeFate.Gone, "gone")];

    private readonly Meter meter = new(MeterName);
    private readonly TimeProvider clock;
    private volatile IReadOnlyDictionary<string, NodeFate> nodes = new Dictionary<string, NodeFate>();
    private long passedAt;

    public GoneNodeMetrics(TimeProvider clock)
    {
        this.clock = clock;
        meter.CreateObservableGauge("danm_gone_node_last_pass_timestamp", Last, "s", "When the last pass ended that could read everything; seconds since 1970.");
        meter.CreateObservableGauge("danm_gone_nodes", Count, description: "Nodes that objects name and that are not simply there, by what is known of them: absent, tainted (but Ready), gone.");
    }

    public static void Failed() => Failures.Add(1);

    public void See(GoneNodeResult result)
    {
        Addresses.Add(result.Allocations);
        Endpoints.Add(result.Endpoints);
        Failures.Add(result.Failures.Count);
        nodes = result.Nodes;
        Volatile.Write(ref passedAt, clock.GetUtcNow().ToUnixTimeSeconds());
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<long>> Last() => Volatile.Read(ref passedAt) is > 0 and var at ? [new Measurement<long>(at)] : [];

    private IEnumerable<Measurement<int>> Count() =>
        Told.Select(told => new Measurement<int>(nodes.Count(n => n.Value == told.Fate), new KeyValuePair<string, object?>("fate", told.Label)));
}
