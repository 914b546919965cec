using System.Globalization;
using Danm.Api;
using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Tenants;

/// <summary>
/// How many ids of a range a namespace may have reserved and unused: a request that is denied after its id was reserved costs its namespace
/// one until the grace is over, and others nothing.
/// </summary>
internal static class VniLimits
{
    private const int MostUnused = 16;

    // In any case, with those of networks that were there and are deleted, and hardly more than half of a range: the controller may be away.
    private const int MostLeft = 4 * MostUnused;

    // A create that was admitted is stored within the API server's request time-out, 60 s by default, or never.
    private static readonly TimeSpan InFlight = TimeSpan.FromSeconds(60);

    // What was reserved before then and is unused had a network that was deleted, or is about to be freed.
    private static readonly TimeSpan Lately = new VniRepairOptions().Grace;

    /// <summary>Whether a namespace may have one more.</summary>
    /// <param name="unused">What it has reserved on the device and no network has.</param>
    /// <param name="vnis">Where one more is to come from.</param>
    /// <param name="gone">Which networks were seen to go: their ids were not reserved for nothing.</param>
    /// <param name="now">The time.</param>
    /// <returns>False: not now, but one of those before may be stored in a moment.</returns>
    /// <exception cref="VniException">No, and waiting for a moment does not help.</exception>
    public static bool MayTake(IEnumerable<VNIAllocation> unused, TenantVnis vnis, GoneNetworks gone, DateTimeOffset now)
    {
        var ages = unused.Where(a => vnis.Ranges.Contains(a.Spec.Vni)).Select(a => AgeOf(a, gone, now)).ToList();
        var most = Math.Clamp(vnis.Ranges.Count / 4, 1, MostUnused);
        if (ages.Count(a => a < Lately) < most && ages.Count < Math.Clamp((vnis.Ranges.Count / 2) + 1, most, MostLeft))
            return true;
        if (ages.Exists(a => a < InFlight))
            return false;
        throw new VniException(
            $"{ages.Count} ids on \"{vnis.Device}\" are kept for TenantNetworks of this namespace that were denied or deleted, and more are not given: danm controller frees each about {Lately.TotalMinutes:0} minutes after its last use. Try again then",
            isTemporary: true);
    }

    // One that says nothing, or whose network has been there since, is as old as can be.
    private static TimeSpan AgeOf(VNIAllocation allocation, GoneNetworks gone, DateTimeOffset now) =>
        DateTimeOffset.TryParse(allocation.Metadata.Annotations?.GetValueOrDefault(VniReserver.ReservedAtAnnotation), CultureInfo.InvariantCulture, out var at)
            && !(Vni.Of(allocation.Spec) is { } vni && gone.HasGone(vni, at))
            ? now - at
            : TimeSpan.MaxValue;
}
