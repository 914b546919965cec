using System.Diagnostics.Metrics;
using Danm.HostLinks;

namespace Danm.Netwatcher;

/// <summary>What netwatcher tells of its own work.</summary>
internal sealed class NetwatcherMetrics : IDisposable
{
    private const string MeterName = "Danm.Netwatcher";

    private static readonly Meter Shared = new(MeterName);

    private static readonly Counter<long> Steps = Shared.CreateCounter<long>("danm_netwatcher_steps", description: "Changes of the host's interfaces, by kind.");

    private static readonly Counter<long> Findings = Shared.CreateCounter<long>("danm_netwatcher_garbage", description: "What passes over the node's garbage found or did, by kind.");

    private readonly Meter meter = new(MeterName);

    /// <param name="interfaces">How many interfaces of the host are wanted.</param>
    /// <param name="problems">How many networks lack theirs.</param>
    public NetwatcherMetrics(Func<int> interfaces, Func<int> problems)
    {
        meter.CreateObservableGauge("danm_netwatcher_interfaces", interfaces, description: "VLAN and VxLAN interfaces that networks want of this node.");
        meter.CreateObservableGauge("danm_netwatcher_problems", problems, description: "Networks that do not get their interface on this node.");
    }

    public static void Step(LinkStep step) => Steps.Add(1, new KeyValuePair<string, object?>("step", step.GetType().Name.ToLowerInvariant()));

    public static void Finding(string kind) => Findings.Add(1, new KeyValuePair<string, object?>("kind", kind));

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();
}
