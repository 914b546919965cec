using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Danm.Kube.Queues;

/// <summary>
/// The instruments of all reconcile loops of the process: as OpenTelemetry's Prometheus exporter spells them, the
/// <c>controller_runtime_…</c> metrics of controller-runtime, with its labels and buckets.
/// </summary>
public static class ReconcileMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Danm.Kube.Reconciling";

    private static readonly Meter Meter = new(MeterName);
    private static readonly ConcurrentDictionary<ILoopGauges, bool> Loops = [];

    private static readonly Counter<long> Total = Meter.CreateCounter<long>(
        "controller_runtime_reconcile", description: "Keys worked on, by how it ended: success, error, requeue, requeue_after.");

    private static readonly Counter<long> Errors = Meter.CreateCounter<long>("controller_runtime_reconcile_errors", description: "Keys that failed.");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "controller_runtime_reconcile_time", "s", "How long a key was worked on.", tags: null, new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries =
            [
                0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9,
                1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
            ],
        });

    static ReconcileMetrics()
    {
        Gauge("controller_runtime_active_workers", "Workers that have a key.", l => l.Active);
        Gauge("controller_runtime_max_concurrent_reconciles", "Workers.", l => l.Workers);

        static void Gauge(string name, string description, Func<LoopGauges, int> value) => Meter.CreateObservableGauge(
            name, () => Loops.Keys.Select(l => l.Read()).Select(l => new Measurement<int>(value(l), l.Controller)).ToArray(), description: description);
    }

    // Zeros first: a rate needs a value before the first failure.
    internal static void Start(ILoopGauges loop, Labels labels)
    {
        Loops[loop] = true;
        labels.Zero();
    }

    internal static void End(ILoopGauges loop) => Loops.TryRemove(loop, out _);

    /// <summary>One loop's counters.</summary>
    internal sealed class Labels(string name)
    {
        private const string Success = "success", Error = "error", Requeue = "requeue", RequeueAfter = "requeue_after";

        public KeyValuePair<string, object?> Controller { get; } = new("controller", name);

        public void Zero()
        {
            foreach (var result in (string[])[Success, Error, Requeue, RequeueAfter])
                Add(result, 0);
            Errors.Add(0, Controller);
        }

        public void Count(Reconciled outcome) => Add(outcome.IsRetry ? Requeue : outcome.Again is null ? Success : RequeueAfter, 1);

        public void CountFailure()
        {
            Add(Error, 1);
            Errors.Add(1, Controller);
        }

        public void Time(TimeSpan time) => Duration.Record(time.TotalSeconds, Controller);

        private void Add(string result, long count) => Total.Add(count, Controller, new KeyValuePair<string, object?>("result", result));
    }
}

/// <summary>A loop over any kind of key, as the gauges see it.</summary>
internal interface ILoopGauges
{
    LoopGauges Read();
}

/// <summary>A loop at one moment.</summary>
internal readonly record struct LoopGauges(KeyValuePair<string, object?> Controller, int Active, int Workers);
