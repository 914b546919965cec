namespace Danm.Kube.Queues;

/// <summary>How the work on a key ended, other than by an exception.</summary>
public readonly record struct Reconciled
{
    /// <summary>All is as it shall be; the key comes back when it is added.</summary>
    public static Reconciled Done => default;

    /// <summary>Not there yet, though nothing failed: the key comes back after its back-off.</summary>
    public static Reconciled Retry => new() { IsRetry = true };

    /// <summary>As <see cref="Done"/>, and the key comes back after a while at the latest.</summary>
    public static Reconciled After(TimeSpan delay) => new() { Again = delay };

    /// <summary>Nothing was tried, since it is too early: the key comes back after a while, and its failures before count on.</summary>
    public static Reconciled NotYet(TimeSpan delay) => new() { Again = delay, IsNotYet = true };

    internal bool IsNotYet { get; private init; }

    internal bool IsRetry { get; private init; }

    internal TimeSpan? Again { get; private init; }
}
