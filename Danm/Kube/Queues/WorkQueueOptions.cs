namespace Danm.Kube.Queues;

/// <summary>How fast failed keys come back; the defaults are those of Kubernetes' own controllers.</summary>
public sealed record WorkQueueOptions
{
    /// <summary>A key's first back-off; each further one is twice as long.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>A key's longest back-off.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(1000);

    /// <summary>How many retries of all keys together are due in a second, in the long run.</summary>
    public double RetriesPerSecond { get; init; } = 10;

    /// <summary>How many retries may be due at once after a quiet time.</summary>
    public int RetryBurst { get; init; } = 100;
}
