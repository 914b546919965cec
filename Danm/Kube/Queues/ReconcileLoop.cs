using Microsoft.Extensions.Logging;

namespace Danm.Kube.Queues;

/// <summary>
/// Workers that bring one key after the other to what it shall be. A key that fails comes back after its back-off and stops no other one.
/// </summary>
/// <param name="queue">Where the keys come from; its name is the loop's in logs and metrics. The caller keeps and disposes it.</param>
/// <param name="reconcile">
/// Does what is to be done for a key, by what it finds and not by what was announced. Its exceptions are failures of the key. Its token is
/// cancelled when the loop ends and its patience is over.
/// </param>
/// <param name="log">Gets a line for each failure.</param>
/// <param name="options">Null: the defaults.</param>
/// <param name="clock">Null: the system's.</param>
public sealed class ReconcileLoop<TKey>(
    WorkQueue<TKey> queue,
    Func<TKey, CancellationToken, Task<Reconciled>> reconcile,
    ILogger log,
    ReconcileOptions? options = null,
    TimeProvider? clock = null) : ILoopGauges
    where TKey : notnull
{
    private readonly ReconcileOptions options = options ?? new ReconcileOptions();
    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly ReconcileMetrics.Labels labels = new(queue.Name);
    private int active;

    LoopGauges ILoopGauges.Read() => new(labels.Controller, Volatile.Read(ref active), options.Workers);

    /// <summary>
    /// Works until it is cancelled or the queue is shut down. Then the queue is shut down, what waits is dropped, and the keys at work are
    /// finished. When this ends, nothing is at work any more.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var hurry = new CancellationTokenSource();
        ReconcileMetrics.Start(this, labels);
        try
        {
            using var stop = cancellation.UnsafeRegister(_ =>
            {
                queue.ShutDown();
                patience.CancelAfter(options.DrainTime);
            }, null);
            // Two tokens, so that the keys are counted before the first of them notices.
            using var late = patience.Token.UnsafeRegister(_ =>
            {
                log.Overstays(queue.Name, Volatile.Read(ref active), options.DrainTime.TotalSeconds);
                hurry.Cancel();
            }, null);
            await Task.WhenAll(Enumerable.Range(0, options.Workers).Select(_ => Task.Run(() => WorkAsync(hurry.Token), CancellationToken.None))).ConfigureAwait(false);
        }
        finally
        {
            ReconcileMetrics.End(this);
        }
    }

    private async Task WorkAsync(CancellationToken hurry)
    {
        while (await queue.GetAsync(CancellationToken.None).ConfigureAwait(false) is { } item)
        {
            Interlocked.Increment(ref active);
            try
            {
                await ReconcileAsync(item, hurry).ConfigureAwait(false);
            }
            finally
            {
                queue.Done(item.Key);
                Interlocked.Decrement(ref active);
            }
        }
    }

    private async Task ReconcileAsync(WorkItem<TKey> item, CancellationToken hurry)
    {
        var started = clock.GetTimestamp();
        try
        {
            var outcome = await reconcile(item.Key, hurry).ConfigureAwait(false);
            labels.Count(outcome);
            if (outcome.IsRetry)
            {
                queue.AddRateLimited(item.Key, item.Priority);
            }
            else
            {
                if (!outcome.IsNotYet)
                    queue.Forget(item.Key);
                if (outcome.Again is { } delay)
                    queue.AddAfter(item.Key, delay, item.Priority);
            }
        }
        catch (OperationCanceledException) when (hurry.IsCancellationRequested)
        {
            // Neither well nor failed: whoever starts next looks at it.
        }
        catch (Exception e)
        {
            labels.CountFailure();
            var pause = queue.AddRateLimited(item.Key, item.Priority).TotalSeconds;
            // What the API server says needs no stack trace, a bug of ours does.
            if (e is ApiException)
                log.Failed(queue.Name, item.Key, pause, e.Message);
            else
                log.Broke(queue.Name, item.Key, pause, e);
        }

        labels.Time(clock.GetElapsedTime(started));
    }
}
