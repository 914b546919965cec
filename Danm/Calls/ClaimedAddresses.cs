using Danm.Ipam;
using Danm.Kube;

namespace Danm.Calls;

/// <summary>Allocates an interface's addresses, each name in the journal before it is created.</summary>
internal static class ClaimedAddresses
{
    /// <summary>Both families at once; a family without tries has no address.</summary>
    /// <exception cref="AddressException">An address cannot be had.</exception>
    /// <exception cref="ApiException">The API server refused or did not answer: the journaled names may exist.</exception>
    public static async Task<List<AllocatedAddress>> AllocateAsync(
        ApiClient api, ClaimBook book, ClaimedInterface holder, FirstTries? ipv4, FirstTries? ipv6, AllocationTally tally, CancellationToken cancellation)
    {
        var families = await Task.WhenAll(
            AllocateAsync(api, book, holder, ipv4, tally, cancellation), AllocateAsync(api, book, holder, ipv6, tally, cancellation)).ConfigureAwait(false);
        return [.. families.OfType<AllocatedAddress>()];
    }

    private static async Task<AllocatedAddress?> AllocateAsync(
        ApiClient api, ClaimBook book, ClaimedInterface holder, FirstTries? tries, AllocationTally tally, CancellationToken cancellation)
    {
        if (tries is null)
            return null;
        var ipv6 = tries.Claim.Pool.Subnet.IsIPv6;
        var allocator = new AddressAllocator(api, names => book.Announce(holder, ipv6, names), tally);
        try
        {
            var address = await allocator.AllocateAsync(tries, cancellation).ConfigureAwait(false);
            book.Confirm(holder, address);
            return address;
        }
        catch (Exception e) when (e is AddressException or ApiException { IsTransient: false, IsAfterRetry: false })
        {
            book.DropAllocations(holder, ipv6);
            throw;
        }
    }
}
