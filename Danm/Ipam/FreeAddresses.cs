using System.Net;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Ipam;

/// <summary>The free addresses of a nearly full pool: the segment's allocations, listed page by page, leave them.</summary>
internal sealed class FreeAddresses
{
    // A pool larger than this is never nearly full: etcd holds no such number of objects.
    private const int MaxBitmap = 1 << 26;
    private const int PageSize = 500;

    private readonly List<IPAddress> addresses;

    private FreeAddresses(List<IPAddress> addresses) => this.addresses = addresses;

    public int Count => addresses.Count;

    /// <summary>Lists from the server's latest state, not from a cache of unknown age.</summary>
    public static async Task<FreeAddresses> ListAsync(ApiClient api, AddressClaim claim, CancellationToken cancellation)
    {
        var pool = claim.Pool;
        if (pool.Size > MaxBitmap)
            return new FreeAddresses([.. AddressCandidates.Of(claim)]);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FreeAddresses(Free(pool, await UsedAsync(api, claim, cancellation).ConfigureAwait(false)));
            }
            catch (ApiException e) when (e.Code == System.Net.HttpStatusCode.Gone && attempt < 3)
            {
                // The pages took longer than the server keeps its past: from the start.
            }
        }
    }

    private static async Task<ulong[]> UsedAsync(ApiClient api, AddressClaim claim, CancellationToken cancellation)
    {
        var pool = claim.Pool;
        var used = new ulong[((int)pool.Size + 63) / 64];
        var selector = Uri.EscapeDataString($"{ApiNames.SegmentLabel}={LabelValue.For(claim.Segment.Text)}");
        string? next = null;
        do
        {
            var page = await api.ListAsync(
                ResourcePath.Danm(ApiNames.IPAllocations, null),
                $"limit={PageSize}&labelSelector={selector}{(next is null ? "" : $"&continue={Uri.EscapeDataString(next)}")}",
                ApiJson.Default.ObjectListIPAllocation,
                cancellation).ConfigureAwait(false);
            foreach (var item in page.Items)
            {
                // The name is what is taken, whatever the spec says.
                if (AllocationName.TryParse(item.Metadata.Name, out var taken, out var segment) && segment == claim.Segment.Name && pool.IndexOf(taken) is { } index)
                    used[(int)index / 64] |= 1UL << ((int)index % 64);
            }

            next = page.Metadata.Continue;
        }
        while (!string.IsNullOrEmpty(next));
        return used;
    }

    /// <summary>Leaves out what the caller knows better.</summary>
    public void Drop(Predicate<IPAddress> isTaken) => addresses.RemoveAll(isTaken);

    /// <summary>Takes one at random, so that callers who listed together do not meet.</summary>
    public IPAddress Take()
    {
        var i = Random.Shared.Next(addresses.Count);
        var taken = addresses[i];
        addresses[i] = addresses[^1];
        addresses.RemoveAt(addresses.Count - 1);
        return taken;
    }

    // Of a huge pool a part is enough, chosen by where to begin.
    private static List<IPAddress> Free(AddressPool pool, ulong[] used)
    {
        const int Enough = 4096;
        var size = (int)pool.Size;
        var start = Random.Shared.Next(size);
        var free = new List<IPAddress>();
        for (var i = 0; i < size && free.Count < Enough; i++)
        {
            var index = (start + i) % size;
            if ((used[index / 64] & (1UL << (index % 64))) == 0 && pool.At((UInt128)index) is var address && !pool.IsReserved(address))
                free.Add(address);
        }

        return free;
    }
}
