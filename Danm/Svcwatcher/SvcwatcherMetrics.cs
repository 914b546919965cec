using System.Diagnostics.Metrics;

namespace Danm.Svcwatcher;

/// <summary>What the svcwatcher tells Prometheus besides its queues; the name is that of Kubernetes' own controller with our prefix.</summary>
internal static class SvcwatcherMetrics
{
    private static readonly Meter Meter = new("Danm.Svcwatcher");

    public static readonly Counter<long> Changes = Meter.CreateCounter<long>("danm_endpoint_slice_changes", description: "EndpointSlices that were created, updated and deleted.");

    public static readonly KeyValuePair<string, object?> Create = new("operation", "create"), Update = new("operation", "update"), Delete = new("operation", "delete");
}
