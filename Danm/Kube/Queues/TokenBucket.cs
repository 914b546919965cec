namespace Danm.Kube.Queues;

/// <summary>
/// A bucket that fills at a steady rate. Nobody is refused: a token that is not there yet is promised, and the next caller's comes after
/// it. The caller keeps threads apart.
/// </summary>
internal sealed class TokenBucket(double perSecond, int size, TimeProvider clock)
{
    private double tokens = size;
    private long filledAt = clock.GetTimestamp();

    /// <summary>Takes a token.</summary>
    /// <returns>How long until it is there.</returns>
    public TimeSpan Take()
    {
        var now = clock.GetTimestamp();
        tokens = Math.Min(size, tokens + (clock.GetElapsedTime(filledAt, now).TotalSeconds * perSecond)) - 1;
        filledAt = now;
        return tokens < 0 ? TimeSpan.FromSeconds(-tokens / perSecond) : TimeSpan.Zero;
    }
}
