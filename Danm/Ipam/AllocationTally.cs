namespace Danm.Ipam;

/// <summary>What one call's allocations cost, over all its claims.</summary>
public sealed class AllocationTally
{
    private long allocations;
    private long conflicts;
    private long lists;
    private long exhausted;

    /// <summary>Addresses given out.</summary>
    public long Allocations => Volatile.Read(ref allocations);

    /// <summary>Creates that found the address taken.</summary>
    public long Conflicts => Volatile.Read(ref conflicts);

    /// <summary>Lists of a wire's addresses.</summary>
    public long Lists => Volatile.Read(ref lists);

    /// <summary>Claims for which no address was left.</summary>
    public long Exhausted => Volatile.Read(ref exhausted);

    internal void Allocated() => Interlocked.Increment(ref allocations);

    internal void Conflicted() => Interlocked.Increment(ref conflicts);

    internal void Listed() => Interlocked.Increment(ref lists);

    internal void RanOut() => Interlocked.Increment(ref exhausted);
}
