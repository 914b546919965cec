using Danm.Api;

namespace Danm.Kube.Elections;

/// <summary>
/// The Lease as a lock: what client-go's <c>leaderelection</c> reads and writes, so that candidates of both kinds can stand together. The
/// times written in it are for people. Whether a lease has expired is told by how long ago, by our own monotonic clock, it was last seen
/// to change; and of two who write at once the server refuses one, by resourceVersion.
/// </summary>
internal sealed class LeaseLock(ApiClient api, LeaderElectorOptions options, TimeProvider clock)
{
    private readonly ResourcePath leases = ResourcePath.Of(Lease.GroupVersion, Lease.Plural, options.Namespace);
    private readonly ResourcePath path = ResourcePath.Of(Lease.GroupVersion, Lease.Plural, options.Namespace, options.Name);

    private Lease? seen;
    private long changedAt;

    /// <summary>Whose it was when last seen; empty: nobody's.</summary>
    public string Holder => seen?.Spec.HolderIdentity ?? "";

    /// <summary>Whether somebody else held it when last seen, and its time was not over.</summary>
    public bool IsHeldByAnother => Holder.Length > 0 && !IsOurs && IsValid;

    /// <summary>How long it is held by somebody else if that one does not renew it; null: it is not.</summary>
    public TimeSpan? UntilExpiry => IsHeldByAnother ? Duration(seen!.Spec) - clock.GetElapsedTime(changedAt) : null;

    private bool IsOurs => Holder == options.Identity;

    private bool IsValid => seen is not null && clock.GetElapsedTime(changedAt) < Duration(seen.Spec);

    /// <summary>Takes or renews the lease; false if somebody else has it, or was faster.</summary>
    /// <exception cref="ApiException">Refused, or no answer: it may be ours or not.</exception>
    public async Task<bool> TryHoldAsync(CancellationToken cancellation)
    {
        // A holder knows what is stored: nobody else writes while its time is not over.
        if (IsOurs && IsValid && await TryWriteAsync(seen!, cancellation).ConfigureAwait(false))
            return true;
        var stored = await api.TryGetAsync(path, ClusterJson.Default.Lease, cancellation).ConfigureAwait(false);
        if (stored is null)
            return await TryCreateAsync(cancellation).ConfigureAwait(false);
        See(stored);
        return !IsHeldByAnother && await TryWriteAsync(stored, cancellation).ConfigureAwait(false);
    }

    /// <summary>Empties the lease if it is ours, so that the next candidate that looks can have it; false if it is not.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<bool> ReleaseAsync(CancellationToken cancellation)
    {
        // A renewal may have been under way when its end came: what is stored counts.
        var stored = await api.TryGetAsync(path, ClusterJson.Default.Lease, cancellation).ConfigureAwait(false);
        if (stored?.Spec.HolderIdentity != options.Identity)
            return false;
        var now = LeaseSpec.ToMicroTime(clock.GetUtcNow());
        var released = stored.Spec with { HolderIdentity = "", LeaseDurationSeconds = 1, AcquireTime = now, RenewTime = now };
        await UpdateAsync(stored, released, cancellation).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> TryCreateAsync(CancellationToken cancellation)
    {
        var now = LeaseSpec.ToMicroTime(clock.GetUtcNow());
        var first = new Lease
        {
            Metadata = new ObjectMeta { Namespace = options.Namespace, Name = options.Name },
            Spec = Ours(new LeaseSpec { AcquireTime = now, LeaseTransitions = 0 }, now),
        };
        var (made, exists) = await api.TryCreateAsync(leases, first, ClusterJson.Default.Lease, cancellation).ConfigureAwait(false);
        if (exists is not null)
            return false;
        See(made.Object);
        return true;
    }

    private async Task<bool> TryWriteAsync(Lease stored, CancellationToken cancellation)
    {
        var now = LeaseSpec.ToMicroTime(clock.GetUtcNow());
        var before = stored.Spec;
        if (before.HolderIdentity != options.Identity)
            before = before with { AcquireTime = now, LeaseTransitions = (before.LeaseTransitions ?? 0) + 1 };
        try
        {
            await UpdateAsync(stored, Ours(before, now), cancellation).ConfigureAwait(false);
            return true;
        }
        catch (ApiException e) when (e.IsConflict || e.IsNotFound)
        {
            return false;
        }
    }

    private async Task UpdateAsync(Lease stored, LeaseSpec spec, CancellationToken cancellation)
    {
        var next = new Lease { Metadata = stored.Metadata, Spec = spec };
        See(await api.UpdateAsync(path, next, ClusterJson.Default.Lease, cancellation).ConfigureAwait(false));
    }

    private LeaseSpec Ours(LeaseSpec before, string now) => before with
    {
        HolderIdentity = options.Identity,
        LeaseDurationSeconds = (int)options.LeaseDuration.TotalSeconds,
        RenewTime = now,
    };

    private void See(Lease lease)
    {
        // A label added by hand is no renewal.
        if (seen?.Spec != lease.Spec)
            changedAt = clock.GetTimestamp();
        seen = lease;
    }

    // Its holder's, which may have other options than we.
    private TimeSpan Duration(LeaseSpec spec) => spec.LeaseDurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : options.LeaseDuration;
}
