using System.Runtime.CompilerServices;
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
/// Counts what is used, page by page: memory does not grow with the allocations, only with the Pods (16 bytes each) and with what is
/// leaked.
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
        var pools = networks.SelectMany(PoolsOf).ToList();
        var byWire = pools.ToLookup(p => p.Segment.Name);
        var known = all.Select(TrySegment).OfType<Segment>().Select(s => s.Name).ToHashSet();
        var pods = await LivePodsAsync(cancellation).ConfigureAwait(false);
        var suspects = new Dictionary<(Guid, string?), Dictionary<PoolUsage, long>>();
        long withoutNetwork = 0, count = 0;
        foreach (var selector in onlyTheirs ? pools.Select(p => p.Segment.Text).Distinct().Select(SelectorOf) : [null])
        {
            await foreach (var item in AllocationsAsync(selector, cancellation).ConfigureAwait(false))
            {
                count++;
                if (!AllocationName.TryParse(item.Metadata.Name, out var address, out var wire))
                    continue;
                if (!known.Contains(wire))
                    withoutNetwork++;
                var owner = Guid.TryParse(item.Spec.Owner?.PodUid, out var uid) ? uid : Guid.Empty;
                // An owner without a Pod is one of a plain CNI configuration: only its node can tell.
                var isSuspect = owner != Guid.Empty && !pods.Contains(owner);
                var label = item.Metadata.Labels?.GetValueOrDefault(ApiNames.NetworkLabel);
                foreach (var pool in byWire[wire])
                {
                    var isOwn = label == pool.Network.ToLabelValue();
                    if (!pool.Add(address, isOwn))
                        continue;
                    if (isSuspect)
                        Suspect(suspects, (owner, item.Spec.NodeName), pool);
                    show?.Invoke(new ShownAllocation(item, pool, pool.Pool.IndexOf(address) is null, isSuspect));
                }
            }
        }

        // A Pod that was born while the pages came is among the living now.
        if (suspects.Count > 0)
            pods = await LivePodsAsync(cancellation).ConfigureAwait(false);
        foreach (var ((owner, node), counts) in suspects.Where(s => !pods.Contains(s.Key.Item1)))
        {
            foreach (var (pool, leaked) in counts)
                pool.AddLeaked(node, leaked);
        }

        return new UsageReport(pools, withoutNetwork, count);
    }

    private static void Suspect(Dictionary<(Guid, string?), Dictionary<PoolUsage, long>> suspects, (Guid, string?) owner, PoolUsage pool)
    {
        if (!suspects.TryGetValue(owner, out var counts))
            suspects[owner] = counts = [];
        counts[pool] = counts.GetValueOrDefault(pool) + 1;
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

    private async Task<HashSet<Guid>> LivePodsAsync(CancellationToken cancellation)
    {
        var pods = new HashSet<Guid>();
        var pages = ObjectPages.ReadAsync(api, ResourcePath.Core("pods", null), null, ApiJson.Default.ObjectListPod, cancellation, metadataOnly: true);
        await foreach (var page in pages.ConfigureAwait(false))
        {
            foreach (var pod in page)
            {
                if (Guid.TryParse(pod.Metadata.Uid, out var uid))
                    pods.Add(uid);
            }

            progress?.Invoke(read += page.Count);
        }

        return pods;
    }

    private async IAsyncEnumerable<IPAllocation> AllocationsAsync(string? selector, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var pages = ObjectPages.ReadAsync(api, ResourcePath.Danm(ApiNames.IPAllocations, null), selector, ApiJson.Default.ObjectListIPAllocation, cancellation);
        await foreach (var page in pages.ConfigureAwait(false))
        {
            foreach (var allocation in page)
                yield return allocation;
            progress?.Invoke(read += page.Count);
        }
    }
}
