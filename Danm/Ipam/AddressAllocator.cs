using System.Net;
using Danm.Api;
using Danm.Kube;

namespace Danm.Ipam;

/// <summary>
/// Allocates by creating: an IPAllocation's name is its address and segment, so the API server's refusal of a second one of that name
/// is the only lock there is. KEP-1880 gives Services their addresses in the same way.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="announce">
/// Writes the names that may exist from now on, in place of those refused before, into the node's journal and onto the disk; called
/// with several at once to spare syncs.
/// </param>
/// <param name="tally">Counts what it costs.</param>
public sealed class AddressAllocator(ApiClient api, Action<IReadOnlyList<string>> announce, AllocationTally? tally = null)
{
    private const int MaxBatch = 16;
    private const int ListedBatch = 4;

    // A request that got no answer may still be served when its address has long been freed by whoever has it now.
    private readonly List<string> uncertain = [];

    /// <summary>
    /// The names that the first tries may create. The caller journals those of all its claims together, before
    /// <see cref="AllocateAsync"/>.
    /// </summary>
    public static FirstTries Plan(AddressClaim claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return claim.Static is { } address
            ? new FirstTries(claim, [address], null)
            : FirstTries.Of(claim, AddressCandidates.Of(claim).GetEnumerator());
    }

    /// <summary>Makes one of the addresses ours.</summary>
    /// <exception cref="AddressException">Taken, reserved, outside the subnet, or no address is left.</exception>
    /// <exception cref="ApiException">The API server refused or did not answer: the journaled names may exist.</exception>
    public async Task<AllocatedAddress> AllocateAsync(FirstTries tries, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(tries);
        var allocated = tries.Claim.Static is { } wanted
            ? await AllocateStaticAsync(tries.Claim, wanted, cancellation).ConfigureAwait(false)
            : await AllocateDynamicAsync(tries, cancellation).ConfigureAwait(false);
        tally?.Allocated();
        return allocated;
    }

    private async Task<AllocatedAddress> AllocateDynamicAsync(FirstTries tries, CancellationToken cancellation)
    {
        var claim = tries.Claim;
        var batch = tries.Addresses;
        var size = 2 * batch.Count;
        while (batch.Count > 0)
        {
            foreach (var address in batch)
            {
                if (await TryCreateAsync(claim, address, cancellation).ConfigureAwait(false) is { } allocated)
                    return allocated;
            }

            batch = FirstTries.Next(tries.Rest!, Math.Min(size *= 2, MaxBatch));
            Announce(claim, batch);
        }

        return await AllocateFromListAsync(claim, cancellation).ConfigureAwait(false);
    }

    private async Task<AllocatedAddress> AllocateFromListAsync(AddressClaim claim, CancellationToken cancellation)
    {
        // Only a list begun after the last failed create can say that nothing is left; an address freed meanwhile is in the next one.
        var (refused, unlisted) = (new HashSet<IPAddress>(), new HashSet<IPAddress>());
        bool tried;
        do
        {
            tally?.Listed();
            tried = false;
            var free = new FreeAddresses(api, claim, unlisted.Contains);
            while (await free.NextAsync(ListedBatch, cancellation).ConfigureAwait(false) is { Count: > 0 } batch)
            {
                tried = true;
                Announce(claim, batch);
                foreach (var address in batch)
                {
                    if (await TryCreateAsync(claim, address, cancellation).ConfigureAwait(false) is { } allocated)
                        return allocated;
                    if (!refused.Add(address) && await IsUnlistedAsync(claim, address, cancellation).ConfigureAwait(false))
                        unlisted.Add(address);
                }
            }
        }
        while (tried);
        tally?.RanOut();
        throw AddressException.Exhausted(claim);
    }

    /// <summary>
    /// Whether an address that lists call free for the second time is taken by an object which no list shows: one made by hand, without
    /// our labels. Others may just have been quicker twice.
    /// </summary>
    private async Task<bool> IsUnlistedAsync(AddressClaim claim, IPAddress address, CancellationToken cancellation) =>
        await GetAsync(claim, address, cancellation).ConfigureAwait(false) is { } holder
            && holder.Metadata.Labels?.GetValueOrDefault(ApiNames.SegmentLabel) != LabelValue.For(claim.Segment.Text);

    private async Task<AllocatedAddress> AllocateStaticAsync(AddressClaim claim, IPAddress address, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (await TryCreateAsync(claim, address, cancellation).ConfigureAwait(false) is { } allocated)
                return allocated;
            var holder = await GetAsync(claim, address, cancellation).ConfigureAwait(false);
            if (holder?.Spec.Owner == claim.Owner)
                return new AllocatedAddress(holder!.Metadata.Name!, holder.Metadata.Uid!, claim.WithPrefix(address));
            if (holder is not null)
                throw AddressException.InUse(claim, address, holder);
        }

        throw AddressException.InUse(claim, address, null);
    }

    /// <summary>Null if somebody else has it. A create whose answer was lost comes back as AlreadyExists, with us as the owner.</summary>
    private async Task<AllocatedAddress?> TryCreateAsync(AddressClaim claim, IPAddress address, CancellationToken cancellation)
    {
        var (made, exists) = await api.TryCreateAsync(
            ResourcePath.Danm(ApiNames.IPAllocations, null), claim.ToObject(address), ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
        if (exists is null)
            return new AllocatedAddress(made.Object.Metadata.Name!, made.Object.Metadata.Uid!, claim.WithPrefix(address), made.MayComeAgain);
        tally?.Conflicted();
        if (!exists.IsAfterRetry)
            return null;
        var existing = await GetAsync(claim, address, cancellation).ConfigureAwait(false);
        if (existing?.Spec.Owner == claim.Owner)
            return new AllocatedAddress(existing!.Metadata.Name!, existing.Metadata.Uid!, claim.WithPrefix(address), MayComeAgain: exists.Unanswered > 1);
        uncertain.Add(claim.NameOf(address));
        return null;
    }

    private Task<IPAllocation?> GetAsync(AddressClaim claim, IPAddress address, CancellationToken cancellation) => api.TryGetAsync(
        ResourcePath.Danm(ApiNames.IPAllocations, null, claim.NameOf(address)), ApiJson.Default.IPAllocation, cancellation);

    private void Announce(AddressClaim claim, IReadOnlyList<IPAddress> batch)
    {
        if (batch.Count > 0)
            announce([.. uncertain, .. batch.Select(claim.NameOf)]);
    }
}
