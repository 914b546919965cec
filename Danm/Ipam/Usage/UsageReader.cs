using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Ipam.Usage;

/// <summary>An allocation, as it is shown to people.</summary>
/// <param name="Object">The object.</param>
/// <param name="Pool">The pool of the network that gave it; null if there is no such network any more.</param>
/// <param name="IsOutside">Whether it is not in that pool.</param>
/// <param name="MayBeLeaked">Whether its Pod was not among those that exist.</param>
public sealed record ShownAllocation(IPAllocation Object, PoolUsage? Pool, bool IsOutside, bool MayBeLeaked);

/// <summary>What networks use, and what nobody's network does.</summary>
/// <param name="Pools">A row for each family of each network.</param>
/// <param name="WithoutNetwork">Allocations on wires that no network has any more.</param>
/// <param name="Allocations">How many were read.</param>
public sealed record UsageReport(IReadOnlyList<PoolUsage> Pools, long WithoutNetwork, long Allocations);

/// <summary>
/// Counts what is used, page by page: memory does not grow with the allocations, only with the Pods and with what looks leaked.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="progress">Told now and then how many objects have been read.</param>
public sealed class UsageReader(ApiClient api, Action<long>? progress = null)
{
    private long read;

    /// <summary>Reads the use of some networks.</summary>
    /// <param name="networks">The networks to show.</param>
    /// <param name="all">All networks of the cluster, to know whose an allocation is.</param>
    /// <param name="onlyTheirs">Whether only the wires of <paramref name="networks"/> are read; they must be few.</param>
    /// <param name="show">Gets every allocation of the shown networks as it is read; its Pod may turn out to be alive.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    public async Task<UsageReport> ReadAsync(
        IReadOnlyList<Network> networks, IReadOnlyList<Network> all, bool onlyTheirs, Action<ShownAllocation>? show, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(networks);
        ArgumentNullException.ThrowIfNull(all);
        read = 0;
        var tally = new UsageTally([.. networks.SelectMany(PoolsOf)], all.Select(TrySegment).OfType<Segment>().Select(s => s.Name), show);
        await ReadPodsAsync(tally.AddPods, cancellation).ConfigureAwait(false);
        foreach (var selector in onlyTheirs ? tally.Pools.Select(p => p.Segment.Text).Distinct().Select(SelectorOf) : [null])
            await ReadPagesAsync(ResourcePath.Danm(ApiNames.IPAllocations, null), selector, metadataOnly: false, tally.AddAllocations, cancellation).ConfigureAwait(false);

        // A Pod that was born while the pages came is among the living now.
        if (tally.BeginSecondLook())
            await ReadPodsAsync(tally.Acquit, cancellation).ConfigureAwait(false);
        return tally.End();
    }

    private static IEnumerable<PoolUsage> PoolsOf(Network network)
    {
        if (TrySegment(network) is not { } segment)
            yield break;
        foreach (var read in (Func<Network, AddressPool?>[])[AddressPool.IPv4, AddressPool.IPv6])
        {
            AddressPool? pool;
            try
            {
                pool = read(network);
            }
            catch (NetworkFaultException)
            {
                continue;
            }

            if (pool is not null)
                yield return new PoolUsage(network.Ref, segment, pool);
        }
    }

    private static string? SelectorOf(string segment) => $"{ApiNames.SegmentLabel}={LabelValue.For(segment)}";

    private static Segment? TrySegment(Network network)
    {
        try
        {
            return Segment.Of(network);
        }
        catch (NetworkFaultException)
        {
            return null;
        }
    }

    private Task ReadPodsAsync(Func<ReadOnlyMemory<byte>, int> take, CancellationToken cancellation) =>
        ReadPagesAsync(ResourcePath.Core("pods", null), null, metadataOnly: true, take, cancellation);

    private async Task ReadPagesAsync(ResourcePath path, string? selector, bool metadataOnly, Func<ReadOnlyMemory<byte>, int> take, CancellationToken cancellation)
    {
        await foreach (var page in ObjectPages.ReadBytesAsync(api, path, selector, metadataOnly, cancellation).ConfigureAwait(false))
        {
            try
            {
                read += take(page);
            }
            catch (JsonException e)
            {
                throw new ApiException($"GET {path}", $"the answer is no valid list: {e.Message}", e);
            }

            progress?.Invoke(read);
        }
    }
}
