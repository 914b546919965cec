using System.Net;
using System.Text;
using Danm.Api;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Ipam;

/// <summary>
/// The free addresses of a nearly full pool, by one consistent list of the segment's allocations. It is read page by page, and no further
/// than until an address is had: what a page skips between two names is free. Only whoever finds all those taken meanwhile reads on to the
/// end, where the pool's whole bitmap is known.
/// </summary>
internal sealed class FreeAddresses
{
    // A pool larger than this is never nearly full: etcd holds no such number of objects.
    private const int MaxBitmap = 1 << 26;

    // Everybody begins with the same page: so the first ones are small, and each gives only a few addresses away.
    private const int FirstPage = 100;
    private const int LastPage = 400;
    private const int TakenPerPage = 2;

    // Of a huge pool a part is enough, chosen by where to begin.
    private const int Enough = 4096;

    private readonly ApiClient api;
    private readonly AddressClaim claim;
    private readonly Predicate<IPAddress> isTaken;
    private readonly byte[] segmentName;
    private readonly UInt128 first;
    private readonly ulong[] used;
    private readonly List<IPAddress> known = [];
    private string? next = "";
    private int pageSize = FirstPage;
    private UInt128? passed;
    private int forgotten;

    /// <summary>A list that is not begun yet.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="claim">Whose pool and segment.</param>
    /// <param name="isTaken">What the caller knows better than any list.</param>
    public FreeAddresses(ApiClient api, AddressClaim claim, Predicate<IPAddress> isTaken)
    {
        (this.api, this.claim, this.isTaken) = (api, claim, isTaken);
        (segmentName, first) = (Encoding.UTF8.GetBytes(claim.Segment.Name), CidrAddress.ToValue(claim.Pool.First));
        if (claim.Pool.Size > MaxBitmap)
        {
            (used, next) = ([], null);
            known.AddRange(AddressCandidates.Of(claim));
        }
        else
        {
            used = new ulong[((int)claim.Pool.Size + 63) / 64];
        }
    }

    /// <summary>Some free addresses that were not given before, in random order, so that callers who list together do not meet. Empty: there are no more.</summary>
    /// <exception cref="ApiException">Refused, or no answer; the server has forgotten the list's version again and again.</exception>
    public async Task<IReadOnlyList<IPAddress>> NextAsync(int most, CancellationToken cancellation)
    {
        while (next is not null)
        {
            await ReadPageAsync(cancellation).ConfigureAwait(false);
            if (next is not null && known.Count > 0)
                return Take(Math.Min(most, TakenPerPage));
        }

        return Take(most);
    }

    private async Task ReadPageAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                known.Clear();
                next = await ListAsync(cancellation).ConfigureAwait(false);
                pageSize = Math.Min(2 * pageSize, LastPage);
                if (next is null)
                    AddRest();
                return;
            }
            catch (ApiException e) when (e.Code == HttpStatusCode.Gone && ++forgotten < 3)
            {
                // The pages took longer than the server keeps its past: from the start.
                (next, passed) = ("", null);
                Array.Clear(used);
            }
        }
    }

    /// <summary>From the server's latest state, not from a cache of unknown age.</summary>
    private Task<string?> ListAsync(CancellationToken cancellation)
    {
        var selector = Uri.EscapeDataString($"{ApiNames.SegmentLabel}={LabelValue.For(claim.Segment.Text)}");
        return api.ListNamesAsync(
            ResourcePath.Danm(ApiNames.IPAllocations, null),
            $"limit={pageSize}&labelSelector={selector}{(next is "" ? "" : $"&continue={Uri.EscapeDataString(next!)}")}",
            Pass,
            cancellation);
    }

    /// <summary>Notes what is taken, and a few of the addresses that would have come before it.</summary>
    private void Pass(ReadOnlySpan<byte> name)
    {
        // The name is what is taken, whatever the spec says.
        if (!AllocationName.TryParse(name, out var taken, out var isIPv6, out var segment) || isIPv6 != claim.Pool.Subnet.IsIPv6
            || !segment.SequenceEqual(segmentName) || !Note(taken))
            return;
        var place = NameOrder.PlaceOf(taken, isIPv6);
        for (var before = place - 1; passed < before && place - before <= 4; before--)
            Add(NameOrder.At(before, isIPv6));
        passed = place;
    }

    /// <summary>The list is at its end: everything that no page had.</summary>
    private void AddRest()
    {
        known.Clear();
        var size = (int)claim.Pool.Size;
        var start = Random.Shared.Next(size);
        for (var i = 0; i < size && known.Count < Enough; i++)
        {
            var index = (start + i) % size;
            if ((used[index / 64] & (1UL << (index % 64))) == 0)
                Add(first + (UInt128)index);
        }
    }

    private void Add(UInt128 value)
    {
        if (value - first >= claim.Pool.Size)
            return;
        var address = claim.Pool.At(value - first);
        if (!claim.Pool.IsReserved(address) && !isTaken(address))
            known.Add(address);
    }

    private List<IPAddress> Take(int most)
    {
        var taken = new List<IPAddress>(most);
        while (taken.Count < most && known.Count > 0)
        {
            var i = Random.Shared.Next(known.Count);
            taken.Add(known[i]);
            Note(CidrAddress.ToValue(known[i]));
            known[i] = known[^1];
            known.RemoveAt(known.Count - 1);
        }

        return taken;
    }

    /// <summary>Not to be given, or not again.</summary>
    private bool Note(UInt128 value)
    {
        var index = value - first;
        if (used.Length == 0 || index >= claim.Pool.Size)
            return false;
        used[(int)index / 64] |= 1UL << ((int)index % 64);
        return true;
    }
}
