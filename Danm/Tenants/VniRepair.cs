using Danm.Api;
using Danm.Kube;
using Danm.Kube.Events;
using Danm.Networks;
using Microsoft.Extensions.Logging;

namespace Danm.Tenants;

/// <summary>
/// Brings VNIAllocations in step with the TenantNetworks that are stored: frees ids that nobody has any more, makes again what somebody
/// deleted, and says where two networks have one id. One instance runs pass after pass: it remembers since when each id has been unused, and
/// a new leader begins to count anew.
/// </summary>
/// <remarks>
/// Why no id is freed that a network gets: reserving it, or using a reservation again, creates or updates the VNIAllocation before the network
/// is stored. A delete bears UID and resourceVersion of an object that has not changed for the whole grace, which is longer than a create takes
/// from its admission until it is stored; and no network had the id when all were listed, after that. So a delete that comes late, even from a
/// leader that is none any more, meets an object that has changed, or one that nobody wants.
/// </remarks>
/// <param name="api">The API server.</param>
/// <param name="options">How.</param>
/// <param name="events">Says at networks and allocations what is wrong.</param>
/// <param name="log">Gets a line for each thing done or found.</param>
/// <param name="clock">The time; null: the system's.</param>
public sealed class VniRepair(ApiClient api, VniRepairOptions options, EventRecorder events, ILogger log, TimeProvider? clock = null)
{
    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly VniGraces graces = new(options.Grace, clock ?? TimeProvider.System);
    private readonly ConnectedPods pods = new(api);
    private readonly VniReport report = new(events, log, clock ?? TimeProvider.System);
    private bool hasLooked;

    /// <summary>How many ids are unused, and wait for their grace to end.</summary>
    public int Pending => graces.Count;

    /// <summary>How long until a pass has something to free; null: nothing waits.</summary>
    public TimeSpan? UntilNext => graces.UntilNext;

    /// <summary>How many TenantNetworks and VNIAllocations the last pass could not read.</summary>
    public int Unreadable { get; private set; }

    /// <summary>
    /// Whether what informers know, late as it may be, gives a pass something to do that the last one did not see. What cannot be read they do
    /// not know: only a pass can tell that there is such a thing, and that it is no more.
    /// </summary>
    public bool IsNews(VniPlan seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        return !hasLooked || Unreadable > 0 || seen.Missing.Count > 0 || seen.Misnamed.Count > 0 || seen.Unused.Any(u => !graces.Knows(u)) || graces.UntilNext == TimeSpan.Zero || report.IsNews(seen);
    }

    /// <summary>Runs a pass.</summary>
    /// <exception cref="ApiException">A list cannot be read: nothing is done in this pass.</exception>
    public async Task<VniRepairResult> RunAsync(CancellationToken cancellation)
    {
        var begun = clock.GetTimestamp();
        if (await ListAsync(cancellation).ConfigureAwait(false) is not var (allocations, networks))
        {
            graces.Clear();
            (hasLooked, Unreadable) = (true, 0);
            return VniRepairResult.Nothing;
        }

        (hasLooked, Unreadable) = (true, allocations.Unreadable.Count + networks.Unreadable.Count);
        var plan = VniRules.Decide(
            [.. allocations.Items, .. allocations.Unreadable.Select(u => new VNIAllocation { Metadata = u.Metadata })],
            networks.Items,
            [.. networks.Unreadable.Select(u => new UnreadableNetwork(u))]);
        var over = graces.Take(plan.Unused, begun);
        var (freed, restored, corrected, failures) = (new List<string>(), new List<string>(), new List<string>(), new List<string>());
        foreach (var missing in plan.Missing)
            await TryAsync(() => RestoreAsync(missing, cancellation), missing.Vni.AllocationName, restored).ConfigureAwait(false);
        foreach (var misnamed in plan.Misnamed)
            await TryAsync(() => CorrectAsync(misnamed, cancellation), misnamed.Allocation.Metadata.Name!, corrected).ConfigureAwait(false);
        report.Tell(plan);
        var pace = new Pace(options.DeletesPerSecond, clock);
        var living = over.Count == 0 ? [] : networks.Items.ToDictionary(VniRules.RefOf, n => n.Metadata.CreationTimestamp);
        foreach (var unused in over)
        {
            await pace.WaitAsync(cancellation).ConfigureAwait(false);
            await TryAsync(() => FreeAsync(unused, living, cancellation), unused.Metadata.Name!, freed).ConfigureAwait(false);
        }

        return new VniRepairResult(freed, restored, corrected, failures);

        async Task TryAsync(Func<Task<bool>> action, string name, List<string> done)
        {
            try
            {
                if (await action().ConfigureAwait(false))
                    done.Add(name);
            }
            catch (ApiException e)
            {
                failures.Add(e.Message);
            }
        }
    }

    /// <summary>
    /// Both kinds, as the server has them now; the networks last, so that none is missed whose id the first list shows. Null where the server
    /// does not know one of them: without TenantNetworks nothing is known of who has an id.
    /// </summary>
    private async Task<(ReadableList<VNIAllocation> Allocations, ReadableList<Network> Networks)?> ListAsync(CancellationToken cancellation)
    {
        try
        {
            var allocations = await ReadableList<VNIAllocation>.ReadAllAsync(
                api, ResourcePath.Danm(ApiNames.VNIAllocations, null), TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
            var networks = await ReadableList<Network>.ReadAllAsync(
                api, ResourcePath.Danm(ApiNames.TenantNetworks, null), ApiJson.Default.Network, cancellation).ConfigureAwait(false);
            return (allocations, networks);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    private async Task<bool> RestoreAsync(VniHolder missing, CancellationToken cancellation)
    {
        var (vni, network) = missing;
        var allocation = new VNIAllocation
        {
            Metadata = new ObjectMeta { Name = vni.AllocationName, Labels = new() { [ApiNames.ManagedByLabel] = ApiNames.ManagedBy } },
            Spec = new VNIAllocationSpec { Device = vni.Device, VniType = vni.Type, Vni = vni.Id, Network = VniRules.RefOf(network) },
        };
        var (_, exists) = await api.TryCreateAsync(ResourcePath.Danm(ApiNames.VNIAllocations, null), allocation, TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
        // It came after the list: the network was stored between the two lists, or is being made again. The next look tells whose it is.
        if (exists is not null)
            return false;
        log.Restored(VniRules.RefOf(network), vni);
        VniMetrics.Restored.Add(1);
        return true;
    }

    private async Task<bool> CorrectAsync(MisnamedVni misnamed, CancellationToken cancellation)
    {
        var (allocation, network) = misnamed;
        var before = allocation.Spec.Network;
        allocation.Spec.Network = VniRules.RefOf(network);
        try
        {
            await api.UpdateAsync(ResourcePath.Danm(ApiNames.VNIAllocations, null, allocation.Metadata.Name), allocation, TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsConflict || e.IsNotFound)
        {
            return false; // whoever has changed it brings the next look about
        }

        log.Corrected(allocation.Metadata.Name, VniRules.RefOf(network), before);
        return true;
    }

    private async Task<bool> FreeAsync(VNIAllocation unused, Dictionary<NetworkRef, string?> living, CancellationToken cancellation)
    {
        // A Pod that was being attached while its network went stands on the wire as long as it lives.
        var network = unused.Spec.Network is { Name.Length: > 0 } named ? named : null;
        if (Vni.Of(unused.Spec) is { } vni
            && await pods.FindOnAsync(vni, network, network is null ? null : living.GetValueOrDefault(network), cancellation).ConfigureAwait(false) is { } pod)
        {
            graces.Renew(unused);
            log.StaysInUse(vni, pod);
            return false;
        }

        var metadata = unused.Metadata;
        var isFreed = await api.DeleteIfAsync(
            ResourcePath.Danm(ApiNames.VNIAllocations, null, metadata.Name),
            new Preconditions { Uid = metadata.Uid, ResourceVersion = metadata.ResourceVersion },
            cancellation).ConfigureAwait(false);
        if (!isFreed)
            return false;
        log.Freed(Vni.Of(unused.Spec), unused.Spec.Network);
        VniMetrics.Freed.Add(1);
        return true;
    }
}
