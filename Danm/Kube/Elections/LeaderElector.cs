using Microsoft.Extensions.Logging;

namespace Danm.Kube.Elections;

/// <summary>
/// Stands for election until it is told to end, and does a leader's work while it leads. One at most leads at a time, as long as the work
/// ends within lease duration − renew deadline when its token says so. Candidates by client-go and by this can stand for one Lease; ours is
/// stricter: its time counts from the sending of a renewal, it goes as soon as it sees another holder, and it releases the lease only when
/// its work has ended.
/// </summary>
/// <example><code>
/// var elector = new LeaderElector(api, new() { Namespace = "kube-system", Name = "svcwatcher" }, log);
/// await elector.RunAsync(leading => controller.RunAsync(leading), stopping);
/// </code></example>
public sealed class LeaderElector
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private readonly LeaderElectorOptions options;
    private readonly ILogger log;
    private readonly TimeProvider clock;
    private readonly LeaseLock lease;
    private volatile LeaderTerm? term;

    /// <param name="api">Where the Lease is: get, create and update are needed.</param>
    /// <param name="options">Which Lease, and the times.</param>
    /// <param name="log">Gets a line when leaders change, and one for each failure to take or renew the lease.</param>
    /// <param name="clock">Null: the system's. Only its timestamps and timers decide; its date is written for people.</param>
    /// <exception cref="ArgumentException">The times do not fit each other.</exception>
    public LeaderElector(ApiClient api, LeaderElectorOptions options, ILogger log, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        this.options = options;
        this.log = log;
        this.clock = clock ?? TimeProvider.System;
        lease = new LeaseLock(api, options, this.clock);
    }

    /// <summary>Somebody else leads than before, maybe we: its identity. Called from the elector's own task, before the work begins.</summary>
    public event Action<string>? LeaderChanged;

    /// <summary>Who was last seen to lead; null before the first look.</summary>
    public string? Leader { get; private set; }

    /// <summary>Whether we lead now.</summary>
    public bool IsLeader => term is { } current && !current.Lost.IsCancellationRequested;

    internal string Name => options.Name;

    /// <summary>
    /// Stands for election. Whenever it wins it calls <paramref name="lead"/>, whose token is cancelled when leadership is lost or the end
    /// is near; a leader that lost stands again once its work has ended. Ends when it is cancelled or when the work ends by itself, its
    /// exceptions being passed on; the lease is then released.
    /// </summary>
    /// <exception cref="TimeoutException">Leadership was lost, the lease has expired and the work goes on: the process must end.</exception>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(lead);
        ElectionMetrics.Watch(this);
        log.Stands(options.Identity, options.Namespace, options.Name);
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                var sent = clock.GetTimestamp();
                if (await TryHoldAsync(cancellation).ConfigureAwait(false))
                {
                    if (!await LeadAsync(sent, lead, cancellation).ConfigureAwait(false))
                        return;
                }
                else if (cancellation.IsCancellationRequested && options.ReleaseOnCancel)
                {
                    // Cut short in the middle of a request, we may hold it without knowing.
                    await ReleaseAsync().ConfigureAwait(false);
                    return;
                }

                // Whoever waits looks within two retry periods, and when the time of a leader that does not renew is over: so
                // another leads within the lease duration and two retry periods.
                var pause = options.RetryPeriod * (1 + Random.Shared.NextDouble());
                if (lease.UntilExpiry is { } left && left < pause)
                    pause = left > Least ? left : Least;
                await Task.Delay(pause, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            ElectionMetrics.Forget(this);
        }
    }

    /// <summary>
    /// Stands for election and leads once, as a process does that has copies of the cluster: whoever has lost may know it late, so it ends
    /// and begins anew.
    /// </summary>
    /// <exception cref="LeadershipLostException">It led, and does so no more: the process is to end.</exception>
    /// <exception cref="TimeoutException">The same, and its work did not end in time.</exception>
    internal Task RunOnceAsync(Func<CancellationToken, Task> lead, CancellationToken cancellation) => RunAsync(
        async leading =>
        {
            await lead(leading).ConfigureAwait(false);
            if (!cancellation.IsCancellationRequested)
                throw new LeadershipLostException("leader election lost: another replica leads");
        },
        cancellation);

    /// <returns>Whether to stand again.</returns>
    private async Task<bool> LeadAsync(long sent, Func<CancellationToken, Task> lead, CancellationToken cancellation)
    {
        using var current = new LeaderTerm(options, clock, sent, cancellation);
        log.Leads(options.Identity, options.Namespace, options.Name);
        term = current;
        try
        {
            var work = Task.Run(() => lead(current.Stopping), CancellationToken.None);
            await RenewAsync(current, work).ConfigureAwait(false);
            if (current.Lost.IsCancellationRequested)
                await OutliveAsync(current, work).ConfigureAwait(false);
            else if (options.ReleaseOnCancel)
                await ReleaseAsync().ConfigureAwait(false);
            var isLost = current.Lost.IsCancellationRequested;
            await work.ConfigureAwait(false);
            return isLost;
        }
        catch (OperationCanceledException) when (current.Stopping.IsCancellationRequested)
        {
            return current.Lost.IsCancellationRequested;
        }
        finally
        {
            term = null;
        }
    }

    /// <summary>Renews until the lease is lost or the work has ended: also while work that was asked to end still goes on.</summary>
    private async Task RenewAsync(LeaderTerm current, Task work)
    {
        while (!work.IsCompleted && !current.Lost.IsCancellationRequested)
        {
            using var round = CancellationTokenSource.CreateLinkedTokenSource(current.Lost);
            var renewal = RenewOnceAsync(current, round.Token);
            await Task.WhenAny(work, renewal).ConfigureAwait(false);
            await round.CancelAsync().ConfigureAwait(false);
            await renewal.ConfigureAwait(false);
        }
    }

    private async Task RenewOnceAsync(LeaderTerm current, CancellationToken cancellation)
    {
        await Task.Delay(options.RetryPeriod, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var sent = clock.GetTimestamp();
        if (await TryHoldAsync(cancellation).ConfigureAwait(false))
            current.Extend(sent);
        else if (lease.IsHeldByAnother)
            current.Lose();
    }

    /// <summary>Waits for the work of a leader that lost, no longer than nobody else can lead.</summary>
    private async Task OutliveAsync(LeaderTerm current, Task work)
    {
        log.Lost(options.Identity, options.Namespace, options.Name);
        if (await Task.WhenAny(work, Task.Delay(current.UntilExpiry, clock)).ConfigureAwait(false) != work)
            throw new TimeoutException($"leader election {options.Namespace}/{options.Name}: the lease has expired, and the work of {options.Identity} goes on");
    }

    private async Task ReleaseAsync()
    {
        using var limit = new CancellationTokenSource(options.RenewDeadline, clock);
        try
        {
            if (await lease.ReleaseAsync(limit.Token).ConfigureAwait(false))
                log.Released(options.Identity, options.Namespace, options.Name);
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            // It expires by itself.
            log.NotReleased(options.Namespace, options.Name, e.Message);
        }
    }

    private async Task<bool> TryHoldAsync(CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(options.RenewDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            return !cancellation.IsCancellationRequested && await lease.TryHoldAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            if (!cancellation.IsCancellationRequested)
                log.NotHeld(options.Namespace, options.Name, $"no answer within {options.RenewDeadline.TotalSeconds} s");
            return false;
        }
        catch (ApiException e)
        {
            log.NotHeld(options.Namespace, options.Name, e.Message);
            return false;
        }
        finally
        {
            Report(lease.Holder);
        }
    }

    private void Report(string holder)
    {
        if (holder.Length == 0 || holder == Leader)
            return;
        Leader = holder;
        log.NewLeader(holder, options.Namespace, options.Name);
        LeaderChanged?.Invoke(holder);
    }
}
