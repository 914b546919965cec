using System.Collections.Concurrent;
using Danm.Api;
using Danm.Kube.Watching;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>
/// Ids whose TenantNetwork was stored and has gone, as this process has seen it: their reservations did not come to nothing. One that was not
/// seen counts as if it had, which costs its namespace some patience and nobody anything else.
/// </summary>
/// <param name="clock">The time.</param>
public sealed class GoneNetworks(TimeProvider clock)
{
    // Older reservations do not count as new anyway.
    private static readonly TimeSpan Kept = new VniRepairOptions().Grace;

    private readonly ConcurrentDictionary<Vni, DateTimeOffset> gone = new();

    /// <summary>Takes what an informer of TenantNetworks hears.</summary>
    internal void Hear(ObjectChange<Network> change)
    {
        if (change is not { Before: { } before, After: null } || Vni.Of(before) is not { } vni)
            return;
        var now = clock.GetUtcNow();
        gone[vni] = now;
        foreach (var (old, at) in gone)
        {
            if (now - at > Kept)
                gone.TryRemove(old, out _);
        }
    }

    /// <summary>Whether a network with this id has gone since then.</summary>
    public bool HasGone(Vni vni, DateTimeOffset since) => gone.TryGetValue(vni, out var at) && at >= since;
}
