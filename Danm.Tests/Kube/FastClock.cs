namespace Danm.Tests.Kube;

/// <summary>A clock that runs so many times as fast as the system's: what waits, waits that much shorter.</summary>
internal sealed class FastClock(int speed) : TimeProvider
{
    private readonly long origin = System.GetTimestamp();
    private readonly DateTimeOffset begun = System.GetUtcNow();

    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => origin + ((System.GetTimestamp() - origin) * speed);

    public override DateTimeOffset GetUtcNow() => begun + GetElapsedTime(origin);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(System.CreateTimer(callback, state, Shorten(dueTime), Shorten(period)), this);

    private TimeSpan Shorten(TimeSpan time) => time <= TimeSpan.Zero ? time : time / speed;

    private sealed class Timer(ITimer timer, FastClock clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(clock.Shorten(dueTime), clock.Shorten(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
