using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Danm.Kube.Elections;

/// <summary>Which of the elections that this process stands in it has won: client-go's <c>leader_election_master_status</c>.</summary>
public static class ElectionMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Danm.Kube.Elections";

    private static readonly Meter Meter = new(MeterName);
    private static readonly ConcurrentDictionary<LeaderElector, bool> Electors = [];

    static ElectionMetrics() => Meter.CreateObservableGauge(
        "leader_election_master_status",
        () => Electors.Keys.Select(e => new Measurement<int>(e.IsLeader ? 1 : 0, new KeyValuePair<string, object?>("name", e.Name))).ToArray(),
        description: "1 for the leader, 0 for those that wait, by the name of the lease.");

    internal static void Watch(LeaderElector elector) => Electors[elector] = true;

    internal static void Forget(LeaderElector elector) => Electors.TryRemove(elector, out _);
}
