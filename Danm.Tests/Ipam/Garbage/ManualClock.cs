namespace Danm.Tests.Ipam.Garbage;

/// <summary>The system's clock, put forward by hand.</summary>
internal sealed class ManualClock : TimeProvider
{
    private TimeSpan ahead;

    public void Pass(TimeSpan time) => ahead += time;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(ahead.TotalSeconds * TimestampFrequency);
}
