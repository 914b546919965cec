namespace Danm.Kube.Elections;

/// <summary>For what somebody stands, under which name, and how fast leaders change.</summary>
public sealed record LeaderElectorOptions
{
    // client-go's bound, which leaves room for one retry.
    internal const double Jitter = 1.2;

    /// <summary>The Lease's namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The Lease's name, and the metrics' label.</summary>
    public required string Name { get; init; }

    /// <summary>Whose name the Lease gets: no other candidate's. The default is new in each process.</summary>
    public string Identity { get; init; } = $"{Environment.MachineName}_{Guid.NewGuid()}";

    /// <summary>How long others wait, from when they last saw a renewal, until they take over. Whole seconds.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long after the sending of its last renewal that succeeded a leader goes on. What is left of the lease duration is what its work
    /// has to end in, and the allowance for clocks that run at different speed.
    /// </summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long between two looks; for candidates up to twice as long, so that they do not come all at once.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether a leader that ends empties the Lease, so that the next one need not wait for it to expire.</summary>
    public bool ReleaseOnCancel { get; init; } = true;

    /// <exception cref="ArgumentException">The times do not fit each other.</exception>
    internal void Validate()
    {
        Check(RetryPeriod > TimeSpan.Zero, "the retry period must be more than zero");
        Check(RenewDeadline > RetryPeriod * Jitter, $"the renew deadline must be more than {Jitter} times the retry period");
        Check(LeaseDuration > RenewDeadline, "the lease duration must be more than the renew deadline");
        Check(LeaseDuration.Ticks % TimeSpan.TicksPerSecond == 0 && LeaseDuration.TotalSeconds <= int.MaxValue, "the lease duration must be whole seconds");

        void Check(bool isGood, string rule)
        {
            if (!isGood)
                throw new ArgumentException($"leader election {Namespace}/{Name}: {rule} (lease {LeaseDuration}, deadline {RenewDeadline}, retry {RetryPeriod})");
        }
    }
}
