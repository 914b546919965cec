using System.Diagnostics.Metrics;

namespace Danm.Tests.Kube;

/// <summary>
/// Hears the meters of Danm.Kube as a Prometheus server would: named as OpenTelemetry's Prometheus exporter names them (OpenTelemetry
/// specification, "Prometheus and OpenMetrics compatibility"), sums for counters, the count of a histogram under <c>_count</c>.
/// </summary>
internal sealed class MetricReader : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, double> values = [];
    private readonly MeterListener listener = new();

    public MetricReader()
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name.StartsWith("Danm.Kube", StringComparison.Ordinal))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Hear(i, value, tags));
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Hear(i, value, tags));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Hear(i, value, tags));
        listener.Start();
    }

    /// <summary>All series, <c>name{label="value",…}</c> with the labels in their order, of those that have a label of this value.</summary>
    public Dictionary<string, double> Read(string labelValue)
    {
        listener.RecordObservableInstruments();
        lock (gate)
            return values.Where(v => v.Key.Contains($"\"{labelValue}\"", StringComparison.Ordinal)).ToDictionary();
    }

    public void Dispose() => listener.Dispose();

    private void Hear(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kind = instrument.GetType().Name;
        var name = instrument.Name;
        if (instrument.Unit == "s" && !name.EndsWith("_seconds", StringComparison.Ordinal))
            name += "_seconds";
        if (kind.StartsWith("Counter", StringComparison.Ordinal) && !name.EndsWith("_total", StringComparison.Ordinal))
            name += "_total";
        if (kind.StartsWith("Histogram", StringComparison.Ordinal))
            (name, value) = (name + "_count", 1);
        var labels = new List<string>();
        foreach (var (key, label) in tags)
            labels.Add($"{key}=\"{label}\"");
        var series = $"{name}{{{string.Join(',', labels)}}}";
        lock (gate)
            values[series] = kind.StartsWith("Observable", StringComparison.Ordinal) ? value : values.GetValueOrDefault(series) + value;
    }
}
