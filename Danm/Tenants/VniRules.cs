using Danm.Api;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>
/// Compares VNIAllocations with the TenantNetworks that are stored: by device, type and id, never by the name that an allocation holds. A
/// network that is made under <c>generateName</c> has none when its id is reserved, and a name may have come back as another network's.
/// </summary>
public static class VniRules
{
    /// <summary>What is wrong.</summary>
    /// <param name="allocations">All VNIAllocations.</param>
    /// <param name="networks">All TenantNetworks that are stored; to free by, they must have been listed after the allocations.</param>
    /// <param name="unreadable">Those of them that cannot be read: what they may have is not unused.</param>
    public static VniPlan Decide(IEnumerable<VNIAllocation> allocations, IEnumerable<Network> networks, params IReadOnlyList<UnreadableNetwork> unreadable)
    {
        ArgumentNullException.ThrowIfNull(allocations);
        ArgumentNullException.ThrowIfNull(networks);
        var (holders, written) = Holders(networks);
        var (unused, misnamed, odd) = (new List<VNIAllocation>(), new List<MisnamedVni>(), new List<OddVni>());
        var names = new HashSet<string>();
        foreach (var allocation in allocations)
        {
            var name = allocation.Metadata.Name ?? "";
            names.Add(name);
            if (Vni.Of(allocation.Spec) is not { } vni)
                odd.Add(new OddVni(allocation, "its spec names no id on a device"));
            else if (vni.AllocationName != name)
                odd.Add(new OddVni(allocation, $"its spec says {vni}, whose VNIAllocation is {vni.AllocationName}"));
            else if (holders.TryGetValue(vni, out var networksOfIt) && networksOfIt[0] is var holder && allocation.Spec.Network != RefOf(holder))
                misnamed.Add(new MisnamedVni(allocation, holder));
            else if (networksOfIt is null && !written.Contains(vni) && !ImportedObject.Is(allocation.Metadata) && allocation.Metadata.DeletionTimestamp is null)
            {
                if (!unreadable.Any(u => u.MayHave(vni)))
                    unused.Add(allocation);
            }
        }

        return new VniPlan
        {
            Unused = unused,
            Misnamed = misnamed,
            Odd = odd,
            Unreadable = unreadable,
            // Where an odd one has the name, nothing can be made.
            Missing = [.. holders.Where(h => !names.Contains(h.Key.AllocationName)).Select(h => new VniHolder(h.Key, h.Value[0]))],
            Conflicts = [.. holders.SelectMany(h => h.Value.Skip(1).Select(younger => new VniConflict(h.Key, h.Value[0], younger)))],
        };
    }

    /// <summary>A TenantNetwork as its VNIAllocation names it; items of lists come without their kind.</summary>
    internal static NetworkRef RefOf(Network network) => new(NetworkKind.TenantNetwork, network.Metadata.Namespace, network.Metadata.Name ?? "");

    /// <summary>The networks of each id, the oldest first; and all ids that a network has, whether its type makes use of it or not.</summary>
    private static (Dictionary<Vni, List<Network>> Holders, HashSet<Vni> Written) Holders(IEnumerable<Network> networks)
    {
        var (holders, written) = (new Dictionary<Vni, List<Network>>(), new HashSet<Vni>());
        foreach (var network in networks)
        {
            if (Vni.WrittenIn(network) is { } any)
                written.Add(any);
            if (Vni.Of(network) is not { } vni)
                continue;
            if (!holders.TryGetValue(vni, out var all))
                holders.Add(vni, all = []);
            all.Add(network);
        }

        foreach (var all in holders.Values.Where(a => a.Count > 1))
            all.Sort(ByAge);
        return (holders, written);
    }

    private static int ByAge(Network a, Network b)
    {
        var age = string.CompareOrdinal(a.Metadata.CreationTimestamp, b.Metadata.CreationTimestamp);
        return age != 0 ? age : string.CompareOrdinal(a.Metadata.Uid, b.Metadata.Uid);
    }
}
