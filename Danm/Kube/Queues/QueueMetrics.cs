using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Danm.Kube.Queues;

/// <summary>
/// The instruments of all work queues of the process. As OpenTelemetry's Prometheus exporter spells them (the unit and a counter's
/// <c>_total</c> are appended) they are the <c>workqueue_…</c> metrics of client-go, with controller-runtime's labels and buckets.
/// </summary>
public static class QueueMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Danm.Kube.Queues";

    private static readonly Meter Meter = new(MeterName);
    private static readonly ConcurrentDictionary<IQueueGauges, bool> Queues = [];

    // From 10 ns to 1,000 s, a power of ten each.
    private static readonly InstrumentAdvice<double> Buckets = new() { HistogramBucketBoundaries = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000] };

    internal static readonly Counter<long> Adds = Meter.CreateCounter<long>("workqueue_adds", description: "Keys that became due.");

    internal static readonly Counter<long> Retries = Meter.CreateCounter<long>("workqueue_retries", description: "Keys added to be due later.");

    internal static readonly Histogram<double> QueueDuration = Meter.CreateHistogram(
        "workqueue_queue_duration", "s", "How long a key that is due waits before it is worked on.", tags: null, Buckets);

    internal static readonly Histogram<double> WorkDuration = Meter.CreateHistogram(
        "workqueue_work_duration", "s", "How long a key is worked on.", tags: null, Buckets);

    static QueueMetrics()
    {
        Gauge("workqueue_depth", null, "Keys that are due and wait.", q => q.Depth);
        Gauge("workqueue_unfinished_work", "s", "Time spent so far on the keys that are worked on, all together.", q => q.Unfinished);
        Gauge("workqueue_longest_running_processor", "s", "Time spent so far on the key that is worked on for longest.", q => q.Longest);

        static void Gauge(string name, string? unit, string description, Func<QueueGauges, double> value) => Meter.CreateObservableGauge(
            name, () => Queues.Keys.Select(q => q.Read()).Select(q => new Measurement<double>(value(q), q.Tags)).ToArray(), unit, description);
    }

    internal static KeyValuePair<string, object?>[] Tags(string name) => [new("name", name), new("controller", name)];

    internal static void Watch(IQueueGauges queue) => Queues[queue] = true;

    internal static void Forget(IQueueGauges queue) => Queues.TryRemove(queue, out _);
}

/// <summary>A queue of any kind of key, as the gauges see it.</summary>
internal interface IQueueGauges
{
    QueueGauges Read();
}

/// <summary>A queue at one moment; times in seconds.</summary>
internal readonly record struct QueueGauges(KeyValuePair<string, object?>[] Tags, int Depth, double Unfinished, double Longest);
