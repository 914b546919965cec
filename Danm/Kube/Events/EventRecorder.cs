using System.Globalization;
using System.Threading.Channels;
using Danm.Api;
using Danm.Cni;

namespace Danm.Kube.Events;

/// <summary>
/// Writes Events, which <c>kubectl describe</c> shows below the object that they are about: correlated, limited in rate, and without
/// making anybody wait. An Event that cannot be written is no failure: the log says the same.
/// </summary>
public sealed class EventRecorder : IAsyncDisposable
{
    private const int MostQueued = 1000;
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ssZ";

    // What another replica or node has said of the same just now need not be counted too: a thousand nodes would make a thousand writes.
    private static readonly TimeSpan SaidJustNow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);

    private readonly ApiClient api;
    private readonly EventSource source;
    private readonly TimeProvider clock;
    private readonly EventCorrelator correlator;
    private readonly Channel<Saying> queue = Channel.CreateBounded<Saying>(new BoundedChannelOptions(MostQueued) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource stop = new();
    private readonly Task writing;

    /// <param name="api">The API server.</param>
    /// <param name="component">The program that speaks.</param>
    /// <param name="host">Its node; null: it has none.</param>
    /// <param name="clock">The time; null: the system's.</param>
    public EventRecorder(ApiClient api, string component, string? host, TimeProvider? clock = null)
    {
        this.api = api;
        this.clock = clock ?? TimeProvider.System;
        source = new EventSource { Component = component, Host = host };
        correlator = new EventCorrelator(this.clock);
        writing = WriteAsync();
    }

    /// <summary>Says that something is wrong.</summary>
    /// <param name="about">The object, with its uid; a Node's is its name.</param>
    /// <param name="reason">One word in CamelCase, for machines.</param>
    /// <param name="message">For people: what is wrong, and what to do.</param>
    public void Warn(ObjectReference about, string reason, string message) => queue.Writer.TryWrite(new Saying(about, "Warning", reason, CniText.Clean(message, 1000)));

    /// <summary>Says what has been done.</summary>
    /// <inheritdoc cref="Warn"/>
    public void Tell(ObjectReference about, string reason, string message) => queue.Writer.TryWrite(new Saying(about, "Normal", reason, CniText.Clean(message, 1000)));

    /// <summary>Writes what is still to be written, for at most 5 s.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        stop.CancelAfter(Drain);
        await writing.ConfigureAwait(false);
        stop.Dispose();
    }

    private async Task WriteAsync()
    {
        await foreach (var saying in queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                if (correlator.Correlate(saying) is { } correlated)
                    await WriteAsync(saying, correlated.Name, correlated.Message).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ApiException or OperationCanceledException or ArgumentException)
            {
                // See above.
            }
        }
    }

    private async Task WriteAsync(Saying saying, string name, string message)
    {
        var now = clock.GetUtcNow();
        var time = now.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        var path = ResourcePath.Core("events", saying.About.Namespace ?? "default");
        var (_, exists) = await api.TryCreateAsync(path, Fresh(), ApiJson.Default.CoreEvent, stop.Token).ConfigureAwait(false);
        if (exists is null)
            return;
        path = ResourcePath.Core("events", saying.About.Namespace ?? "default", name);
        if (await api.TryGetAsync(path, ApiJson.Default.CoreEvent, stop.Token).ConfigureAwait(false) is not { } before)
            return; // It has just expired; whoever says it next makes it again.
        if (DateTimeOffset.TryParse(before.LastTimestamp, CultureInfo.InvariantCulture, out var last) && now - last < SaidJustNow && before.Source?.Host != source.Host)
            return;
        // It may have been a combined one, and the message is the last one's then.
        await api.PatchAsync(path, new CoreEventCount { Count = (before.Count ?? 1) + 1, LastTimestamp = time, Message = message }, ClusterJson.Default.CoreEventCount, stop.Token).ConfigureAwait(false);

        CoreEvent Fresh() => new()
        {
            Metadata = new ObjectMeta { Name = name, Namespace = saying.About.Namespace ?? "default" },
            InvolvedObject = saying.About,
            Type = saying.Type,
            Reason = saying.Reason,
            Message = message,
            Source = source,
            FirstTimestamp = time,
            LastTimestamp = time,
            Count = 1,
        };
    }
}
