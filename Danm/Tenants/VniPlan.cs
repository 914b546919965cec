using Danm.Api;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>What is wrong between VNIAllocations and the TenantNetworks that are stored; whether anything is done about it is for others to decide.</summary>
public sealed record VniPlan
{
    /// <summary>Ids that no TenantNetwork has. One that is being admitted may be about to have it: only time tells.</summary>
    public IReadOnlyList<VNIAllocation> Unused { get; init; } = [];

    /// <summary>Ids of TenantNetworks without a VNIAllocation.</summary>
    public IReadOnlyList<VniHolder> Missing { get; init; } = [];

    /// <summary>VNIAllocations that name another network than the one that has the id.</summary>
    public IReadOnlyList<MisnamedVni> Misnamed { get; init; } = [];

    /// <summary>Ids that several TenantNetworks have, an entry for each but the oldest.</summary>
    public IReadOnlyList<VniConflict> Conflicts { get; init; } = [];

    /// <summary>VNIAllocations that cannot be relied on: for an operator to look at.</summary>
    public IReadOnlyList<OddVni> Odd { get; init; } = [];

    /// <summary>TenantNetworks that cannot be read, and keep every id that they may have.</summary>
    public IReadOnlyList<UnreadableNetwork> Unreadable { get; init; } = [];
}

/// <summary>A TenantNetwork that has an id.</summary>
/// <param name="Vni">The id.</param>
/// <param name="Network">The network.</param>
public sealed record VniHolder(Vni Vni, Network Network);

/// <summary>A VNIAllocation that is to name another network.</summary>
/// <param name="Allocation">As it is.</param>
/// <param name="Network">The network that has its id.</param>
public sealed record MisnamedVni(VNIAllocation Allocation, Network Network);

/// <summary>Two TenantNetworks with one id.</summary>
/// <param name="Vni">The id.</param>
/// <param name="Older">Whose it is.</param>
/// <param name="Younger">Who must get another.</param>
public sealed record VniConflict(Vni Vni, Network Older, Network Younger);

/// <summary>A VNIAllocation that tells nothing to rely on.</summary>
/// <param name="Allocation">As it is.</param>
/// <param name="Reason">Why, for an operator.</param>
public sealed record OddVni(VNIAllocation Allocation, string Reason);
