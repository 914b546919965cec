using System.Diagnostics.Metrics;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>What the upkeep of tenants' ids tells Prometheus, for as long as this process leads.</summary>
public sealed class VniMetrics : IDisposable
{
    private const string MeterName = "Danm.Tenants";

    private static readonly Meter Shared = new(MeterName);

    internal static readonly Counter<long> Freed = Shared.CreateCounter<long>("danm_vni_freed", description: "VNIAllocations deleted, since no TenantNetwork had their id for the whole grace.");

    internal static readonly Counter<long> Restored = Shared.CreateCounter<long>("danm_vni_restored", description: "VNIAllocations of stored TenantNetworks that were missing and were made again.");

    private readonly Meter meter = new(MeterName);
    private volatile IReadOnlyList<Measurement<int>> allocations = [];
    private volatile int conflicts, odd;

    /// <param name="repair">Whose work it is.</param>
    public VniMetrics(VniRepair repair)
    {
        ArgumentNullException.ThrowIfNull(repair);
        meter.CreateObservableGauge("danm_vni_allocations", () => allocations, description: "VLAN and VxLAN ids that are taken, by device and type.");
        meter.CreateObservableGauge("danm_vni_pending", () => repair.Pending, description: "Ids that no TenantNetwork has, and that wait for their grace to end.");
        meter.CreateObservableGauge("danm_vni_conflicts", () => conflicts, description: "TenantNetworks with an id that an older one has.");
        meter.CreateObservableGauge("danm_vni_unusable", () => odd + repair.Unreadable, description: "TenantNetworks and VNIAllocations that cannot be read, and VNIAllocations whose name is not what their spec says.");
    }

    /// <summary>Takes what holds now.</summary>
    public void See(IEnumerable<Api.VNIAllocation> all, VniPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        allocations =
        [
            .. all.Select(a => Vni.Of(a.Spec)).OfType<Vni>().GroupBy(v => (v.Device, v.Type))
                .Select(g => new Measurement<int>(g.Count(), new KeyValuePair<string, object?>("device", g.Key.Device), new KeyValuePair<string, object?>("type", g.Key.Type))),
        ];
        (conflicts, odd) = (plan.Conflicts.Count, plan.Odd.Count);
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();
}
