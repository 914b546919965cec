namespace Danm.Kube.Elections;

/// <summary>
/// One time of leading. It ends by itself when no renewal succeeds in time, whatever hangs then: a request, a callback, the network.
/// </summary>
internal sealed class LeaderTerm : IDisposable
{
    private readonly LeaderElectorOptions options;
    private readonly TimeProvider clock;

    // Never disposed: the timer may just be ringing.
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource stopping;
    private readonly ITimer deadline;
    private long renewedAt;

    /// <param name="options">The times.</param>
    /// <param name="clock">Whose timestamps are meant.</param>
    /// <param name="renewedAt">When the request that took the lease was sent.</param>
    /// <param name="cancellation">Ends the work, not yet the lease.</param>
    public LeaderTerm(LeaderElectorOptions options, TimeProvider clock, long renewedAt, CancellationToken cancellation)
    {
        this.options = options;
        this.clock = clock;
        this.renewedAt = renewedAt;
        stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lost.Token);
        deadline = clock.CreateTimer(static term => ((LeaderTerm)term!).Lose(), this, Left(options.RenewDeadline), Timeout.InfiniteTimeSpan);
    }

    /// <summary>For the work: lost, or asked to end.</summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>The lease is no longer ours for sure.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>Until others may lead.</summary>
    public TimeSpan UntilExpiry => Left(options.LeaseDuration);

    /// <summary>
    /// A renewal succeeded that was sent at <paramref name="timestamp"/>. The others' time runs from when it was stored, which is later:
    /// counted from the answer, which may hang for long, ours could end after theirs.
    /// </summary>
    public void Extend(long timestamp)
    {
        renewedAt = timestamp;
        if (!lost.IsCancellationRequested)
            deadline.Change(Left(options.RenewDeadline), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends it now.</summary>
    public void Lose() => lost.Cancel();

    public void Dispose()
    {
        deadline.Dispose();
        stopping.Dispose();
    }

    private TimeSpan Left(TimeSpan time)
    {
        var left = time - clock.GetElapsedTime(renewedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
