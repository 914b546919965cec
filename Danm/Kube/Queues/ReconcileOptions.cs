namespace Danm.Kube.Queues;

/// <summary>How a <see cref="ReconcileLoop{TKey}"/> works.</summary>
public sealed record ReconcileOptions
{
    /// <summary>How many keys are worked on at once.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>
    /// How long the keys at work may take once the loop ends, before they are cancelled. Under a leader election it belongs to the time
    /// between renew deadline and lease duration, 5 s by default: then another one leads.
    /// </summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(3);
}
