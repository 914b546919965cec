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

    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);

    private readonly EventWriter writer;
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
        writer = new EventWriter(api, component, host, clock);
        correlator = new EventCorrelator(clock ?? TimeProvider.System);
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
            if (correlator.Correlate(saying) is { } correlated)
                await writer.WriteAsync(saying with { Message = correlated.Message }, correlated.Name, stop.Token).ConfigureAwait(false);
        }
    }
}
