using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Ipam.Usage;

/// <summary>
/// Counts pages of Pods, then pages of allocations. It holds a UID for each Pod, and another one and two numbers for each allocation
/// whose Pod is not among them.
/// </summary>
/// <param name="pools">What is counted.</param>
/// <param name="wires">The wires of all networks, whatever their pools.</param>
/// <param name="show">Gets every allocation that counts; its Pod may turn out to be alive.</param>
internal sealed class UsageTally(IReadOnlyList<PoolUsage> pools, IEnumerable<string> wires, Action<ShownAllocation>? show)
{
    private readonly HashSet<string> wires = [.. wires];
    private readonly ILookup<string, (PoolUsage Usage, string Label, int Number)> byWire =
        pools.Select((p, i) => (Usage: p, Label: p.Network.ToLabelValue(), Number: i)).ToLookup(p => p.Usage.Segment.Name);

    private readonly List<(Guid Owner, int Node, int Pool)> suspects = [];
    private readonly Dictionary<string, int> nodes = [];
    private HashSet<Guid> pods = [];
    private long withoutNetwork, allocations;

    /// <summary>What is counted.</summary>
    public IReadOnlyList<PoolUsage> Pools => pools;

    /// <summary>Takes a page of Pods: the first look.</summary>
    /// <returns>How many they are.</returns>
    /// <exception cref="JsonException">No list.</exception>
    public int AddPods(ReadOnlyMemory<byte> page) => ForEachUid(page.Span, uid => pods.Add(uid));

    /// <summary>Takes a page of IPAllocations.</summary>
    /// <returns>How many they are.</returns>
    /// <exception cref="JsonException">No list.</exception>
    public int AddAllocations(ReadOnlyMemory<byte> page)
    {
        var count = 0;
        var json = ListJson.Items(page.Span);
        while (ListJson.NextItem(ref json))
        {
            count++;
            var start = (int)json.TokenStartIndex;
            var item = ListedAllocation.Read(ref json);
            Add(item, page[start..(int)json.BytesConsumed]);
        }

        allocations += count;
        return count;
    }

    /// <summary>Whether the Pods must be looked at again: some were missing, and may have been born since.</summary>
    public bool BeginSecondLook()
    {
        // From now on: owners that nobody has seen alive.
        pods = [.. suspects.Select(s => s.Owner)];
        return suspects.Count > 0;
    }

    /// <summary>Takes a page of Pods: the second look.</summary>
    /// <returns>How many they are.</returns>
    /// <exception cref="JsonException">No list.</exception>
    public int Acquit(ReadOnlyMemory<byte> page) => ForEachUid(page.Span, uid => pods.Remove(uid));

    /// <summary>What it comes to.</summary>
    public UsageReport End()
    {
        var names = nodes.Keys.ToArray();
        foreach (var (_, node, pool) in suspects.Where(s => pods.Contains(s.Owner)))
            pools[pool].AddLeaked(names[node]);
        return new UsageReport(pools, withoutNetwork, allocations);
    }

    private void Add(in ListedAllocation item, ReadOnlyMemory<byte> text)
    {
        if (!AllocationName.TryParse(item.Name, out var address, out var wire))
            return;
        if (!wires.Contains(wire))
            withoutNetwork++;
        // An owner without a Pod is one of a plain CNI configuration: only its node can tell.
        var isSuspect = item.Owner != Guid.Empty && !pods.Contains(item.Owner);
        foreach (var (usage, label, number) in byWire[wire])
        {
            if (!usage.Add(address, isOwn: item.Network == label))
                continue;
            if (isSuspect)
                suspects.Add((item.Owner, NumberOf(item.Node ?? ""), number));
            show?.Invoke(new ShownAllocation(
                JsonSerializer.Deserialize(text.Span, ApiJson.Default.IPAllocation)!, usage, usage.Pool.IndexOf(address) is null, isSuspect));
        }
    }

    private int NumberOf(string node)
    {
        if (!nodes.TryGetValue(node, out var number))
            nodes[node] = number = nodes.Count;
        return number;
    }

    private static int ForEachUid(ReadOnlySpan<byte> page, Action<Guid> action)
    {
        var count = 0;
        var json = ListJson.Items(page);
        while (ListJson.NextItem(ref json))
        {
            count++;
            while (ListJson.NextMember(ref json))
            {
                if (!json.ValueTextEquals("metadata"u8))
                    json.Skip();
                else if (ListJson.UidWithin(ref json, "uid"u8) is var uid && uid != Guid.Empty)
                    action(uid);
            }
        }

        return count;
    }
}
