namespace Danm.Tests.Kube.Elections;

/// <summary>
/// A machine's own clock: it runs at its own speed, its date is off by what it likes, and its timestamps begin anywhere. Faster than the
/// real one, it lets a test with the real lease times end soon.
/// </summary>
internal sealed class SkewedClock(double speed, TimeSpan offset) : TimeProvider
{
    private readonly long start = System.GetTimestamp();
    private readonly DateTimeOffset startDate = System.GetUtcNow();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => (long)(System.GetElapsedTime(start).Ticks * speed) + offset.Ticks;

    public override DateTimeOffset GetUtcNow() => startDate + (System.GetElapsedTime(start) * speed) + offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(System.CreateTimer(callback, state, Real(dueTime), Real(period)), this);

    private TimeSpan Real(TimeSpan time) => time == global::System.Threading.Timeout.InfiniteTimeSpan ? time : time / speed;

    private sealed class Timer(ITimer real, SkewedClock clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => real.Change(clock.Real(dueTime), clock.Real(period));

        public void Dispose() => real.Dispose();

        public ValueTask DisposeAsync() => real.DisposeAsync();
    }
}
