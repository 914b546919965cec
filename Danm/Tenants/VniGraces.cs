using Danm.Api;

namespace Danm.Tenants;

/// <summary>
/// Since when each unused VNIAllocation has been seen unused, by a clock that nobody sets. Whoever reserves an id, or uses a reservation
/// again, changes its object: its grace then begins anew.
/// </summary>
/// <param name="grace">How long it must have been so: longer than a create may take from its admission until it is stored.</param>
/// <param name="clock">Only its timestamps count.</param>
internal sealed class VniGraces(TimeSpan grace, TimeProvider clock)
{
    private Dictionary<string, Seen> seen = [];

    /// <summary>How many are waited for.</summary>
    public int Count => seen.Count;

    /// <summary>How long until the next grace is over; null if there is none.</summary>
    public TimeSpan? UntilNext
    {
        get
        {
            TimeSpan? next = null;
            foreach (var (_, _, since) in seen.Values)
            {
                var left = grace - clock.GetElapsedTime(since);
                if (next is null || left < next)
                    next = left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }

            return next;
        }
    }

    /// <summary>Whether this very object, unchanged, is waited for.</summary>
    public bool Knows(VNIAllocation allocation) => seen.TryGetValue(allocation.Metadata.Name ?? "", out var known) && known.Is(allocation);

    /// <summary>Takes what consistent lists show unused; the rest is forgotten.</summary>
    /// <param name="unused">All of it.</param>
    /// <param name="begun">The clock's timestamp before the lists were asked for.</param>
    /// <returns>What has been so for the whole grace.</returns>
    public IReadOnlyList<VNIAllocation> Take(IReadOnlyList<VNIAllocation> unused, long begun)
    {
        var now = clock.GetTimestamp();
        var next = new Dictionary<string, Seen>();
        var over = new List<VNIAllocation>();
        foreach (var allocation in unused)
        {
            var name = allocation.Metadata.Name ?? "";
            var since = Knows(allocation) ? seen[name].Since : now;
            next[name] = new Seen(allocation.Metadata.Uid, allocation.Metadata.ResourceVersion, since);
            if (since <= begun && clock.GetElapsedTime(since, begun) >= grace)
                over.Add(allocation);
        }

        seen = next;
        return over;
    }

    /// <summary>Somebody has a use for it still: its grace begins anew.</summary>
    public void Renew(VNIAllocation allocation)
    {
        if (Knows(allocation))
            seen[allocation.Metadata.Name ?? ""] = seen[allocation.Metadata.Name ?? ""] with { Since = clock.GetTimestamp() };
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => seen = [];

    private readonly record struct Seen(string? Uid, string? ResourceVersion, long Since)
    {
        public bool Is(VNIAllocation allocation) => (Uid, ResourceVersion) == (allocation.Metadata.Uid, allocation.Metadata.ResourceVersion);
    }
}
