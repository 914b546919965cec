using Danm.Api;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>Which ids of one device are taken, and by whom, at one moment.</summary>
internal sealed class VniPicture
{
    private readonly HashSet<int> taken = [];
    private readonly HashSet<int> used = [];
    private readonly List<VNIAllocation> unused = [];

    /// <param name="device">The device.</param>
    /// <param name="encapsulation">VLAN or VxLAN.</param>
    /// <param name="allocations">All VNIAllocations.</param>
    /// <param name="networks">All networks, of every kind.</param>
    public VniPicture(string device, Encapsulation encapsulation, IEnumerable<VNIAllocation> allocations, IEnumerable<Network> networks)
    {
        foreach (var network in networks)
        {
            if (Vni.Of(network) is not { } vni || vni.Device != device || vni.Encapsulation != encapsulation)
                continue;
            taken.Add(vni.Id);
            if (network.Kind == NetworkKind.TenantNetwork)
                used.Add(vni.Id);
        }

        foreach (var allocation in allocations)
        {
            if (Vni.Of(allocation.Spec) is not { } vni || vni.Device != device || vni.Encapsulation != encapsulation)
                continue;
            taken.Add(vni.Id);
            if (!used.Contains(vni.Id))
                unused.Add(allocation);
        }
    }

    /// <summary>Whether nobody can have it: allocated, or used by a network of any kind, an administrator's included.</summary>
    public bool IsTaken(int id) => taken.Contains(id);

    /// <summary>Reserved for a TenantNetwork of a namespace that is not stored, or not yet.</summary>
    public IEnumerable<VNIAllocation> UnusedOf(string ns) => unused.Where(a => a.Spec.Network?.Namespace == ns && !ImportedObject.Is(a.Metadata));
}
