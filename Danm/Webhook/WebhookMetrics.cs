using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Danm.Webhook;

/// <summary>The reviews, under controller-runtime's well-known names as OpenTelemetry's Prometheus exporter completes them, and what was decided.</summary>
internal static class WebhookMetrics
{
    private static readonly Meter Meter = new("Danm.Webhook");
    private static readonly ConcurrentDictionary<string, Flight> Flights = new();

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>("controller_runtime_webhook_requests", description: "Total number of admission requests by HTTP status code.");

    private static readonly Histogram<double> Latency = Meter.CreateHistogram(
        "controller_runtime_webhook_latency", "s", "Histogram of the latency of processing admission requests.", tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });

    private static readonly Counter<long> Decisions = Meter.CreateCounter<long>("danm_webhook_decisions", description: "Reviews by path, operation and whether they were allowed.");

    static WebhookMetrics() => Meter.CreateObservableGauge(
        "controller_runtime_webhook_requests_in_flight", () => Flights.Select(f => new Measurement<long>(f.Value.Count, Webhook(f.Key))).ToArray(), description: "Current number of admission requests being served.");

    /// <summary>A review is being served until this is disposed of.</summary>
    public static IDisposable InFlight(string webhook) => Flights.GetOrAdd(webhook, static _ => new Flight()).Begin();

    public static void Answered(string webhook, int code, TimeSpan time)
    {
        Requests.Add(1, Webhook(webhook), new("code", $"{code}"));
        Latency.Record(time.TotalSeconds, Webhook(webhook));
    }

    public static void Decided(string webhook, string? operation, bool isAllowed) => Decisions.Add(
        1, Webhook(webhook), new("operation", operation is "CREATE" or "UPDATE" or "DELETE" ? operation : "other"), new("allowed", isAllowed ? "true" : "false"));

    private static KeyValuePair<string, object?> Webhook(string name) => new("webhook", $"/{name}");

    private sealed class Flight : IDisposable
    {
        private long count;

        public long Count => Interlocked.Read(ref count);

        public IDisposable Begin()
        {
            Interlocked.Increment(ref count);
            return this;
        }

        public void Dispose() => Interlocked.Decrement(ref count);
    }
}
