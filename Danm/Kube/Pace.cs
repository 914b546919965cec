namespace Danm.Kube;

/// <summary>Lets so many begin in a second, evenly, whoever asks.</summary>
internal sealed class Pace(int perSecond, TimeProvider clock)
{
    private readonly long interval = clock.TimestampFrequency / Math.Max(1, perSecond);
    private readonly Lock gate = new();
    private long next = clock.GetTimestamp();

    public Task WaitAsync(CancellationToken cancellation)
    {
        long wait;
        lock (gate)
        {
            var now = clock.GetTimestamp();
            next = Math.Max(next, now) + interval;
            wait = next - interval - now;
        }

        return wait <= 0 ? Task.CompletedTask : Task.Delay(TimeSpan.FromSeconds((double)wait / clock.TimestampFrequency), clock, cancellation);
    }
}
