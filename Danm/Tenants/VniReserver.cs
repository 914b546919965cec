using System.Collections.Concurrent;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Tenants;

/// <summary>
/// Gives ids to TenantNetworks that are being created: the lowest free one of the range. Creating the VNIAllocation is the lock, so any
/// number of replicas may do this at once. What is reserved for a request that comes to nothing is taken again by the next one of the same
/// name, or freed by <c>danm controller</c>; how much a namespace may leave like that is limited.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="view">What is known of the cluster.</param>
/// <param name="clock">The time; null: the system's.</param>
public sealed class VniReserver(ApiClient api, NetworkView view, TimeProvider? clock = null)
{
    /// <summary>VNIAllocation annotation: when an id was reserved, or reserved again; changing it begins the grace of unused ones anew.</summary>
    public const string ReservedAtAnnotation = ApiNames.Prefix + "reserved-at";

    // Tells an attempt of ours from another replica's.
    private const string NonceAnnotation = ApiNames.Prefix + "reservation";

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(25), LongestGlance = TimeSpan.FromMilliseconds(250);

    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly ConcurrentDictionary<(string, Encapsulation), DeviceQueue> queues = new();

    /// <summary>Reserves an id, if need be once the namespace's networks before this one are stored.</summary>
    /// <param name="request">For whom.</param>
    /// <param name="dryRun">Whether nothing is reserved: the answer is what would be.</param>
    /// <param name="cancellation">Ends it; what is reserved by then is free for the next request of the same name.</param>
    /// <exception cref="VniException">The range is exhausted, or the namespace has more ids reserved and unused than it may.</exception>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    /// <exception cref="OperationCanceledException">The namespace's networks before this one were not stored in time.</exception>
    public async Task<int> ReserveAsync(VniRequest request, bool dryRun, CancellationToken cancellation)
    {
        for (var glance = Glance; ; glance = glance * 2 < LongestGlance ? glance * 2 : LongestGlance)
        {
            if (await TryReserveAsync(request, dryRun, cancellation).ConfigureAwait(false) is { } id)
                return id;
            // Many at once: those before are stored in a moment.
            await Task.Delay(glance, clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The same, without waiting for others' networks to be stored.</summary>
    /// <returns>Null: that is to be waited for.</returns>
    /// <inheritdoc cref="ReserveAsync" path="/param"/>
    /// <exception cref="VniException">The range is exhausted, or the namespace has more ids reserved and unused than it may.</exception>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<int?> TryReserveAsync(VniRequest request, bool dryRun, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var vnis = request.Vnis;
        var queue = queues.GetOrAdd((vnis.Device, vnis.Encapsulation), static _ => new DeviceQueue());
        await queue.Gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var picture = await PictureAsync(request, queue, cancellation).ConfigureAwait(false);
            if (await AgainAsync(request, picture, dryRun, cancellation).ConfigureAwait(false) is { } again)
                return again;
            if (vnis.Ranges.All.All(picture.IsTaken))
                throw Exhausted(vnis);
            return VniLimits.MayTake(picture.UnusedOf(request.Namespace), vnis, view.Gone, clock.GetUtcNow())
                ? await TakeAsync(request, queue, picture, dryRun, cancellation).ConfigureAwait(false)
                : null;
        }
        finally
        {
            queue.Gate.Release();
        }
    }

    /// <summary>As the copies have it, with what this replica knows better; from the server, if by the copies nothing is free.</summary>
    private async Task<VniPicture> PictureAsync(VniRequest request, DeviceQueue queue, CancellationToken cancellation)
    {
        var vnis = request.Vnis;
        var known = view.Allocations;
        var picture = new VniPicture(vnis.Device, vnis.Encapsulation, [.. known, .. queue.NotIn(known, clock)], view.Networks);
        if (vnis.Ranges.All.Any(id => !picture.IsTaken(id)))
            return picture;
        var listed = await ReadableList<VNIAllocation>.ReadAllAsync(
            api, ResourcePath.Danm(ApiNames.VNIAllocations, null), TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
        return new VniPicture(vnis.Device, vnis.Encapsulation, listed.Items, view.Networks);
    }

    /// <summary>What was reserved for this very TenantNetwork by a request that came to nothing.</summary>
    private async Task<int?> AgainAsync(VniRequest request, VniPicture picture, bool dryRun, CancellationToken cancellation)
    {
        if (request.Name is null)
            return null;
        foreach (var found in picture.UnusedOf(request.Namespace).Where(a => a.Spec.Network?.Name == request.Name && request.Vnis.Ranges.Contains(a.Spec.Vni)))
        {
            // Whoever frees it must see that it is wanted again, or it would be anybody's while this request is stored.
            if (dryRun || await TouchAsync(found, cancellation).ConfigureAwait(false))
                return found.Spec.Vni;
        }

        return null;
    }

    private async Task<bool> TouchAsync(VNIAllocation found, CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.VNIAllocations, null, found.Metadata.Name);
        for (var current = found; ;)
        {
            try
            {
                var touched = new VNIAllocation { Metadata = Touched(current.Metadata), Spec = current.Spec };
                await api.UpdateAsync(path, touched, TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
                return true;
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                return false;
            }
            catch (ApiException e) when (e.IsConflict)
            {
                var now = await api.TryGetAsync(path, TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
                if (now is null || now.Spec.Network != found.Spec.Network || now.Metadata.Uid != (found.Metadata.Uid ?? now.Metadata.Uid))
                    return false;
                current = now;
            }
        }
    }

    private ObjectMeta Touched(ObjectMeta metadata) => new()
    {
        Name = metadata.Name,
        Uid = metadata.Uid,
        ResourceVersion = metadata.ResourceVersion,
        Labels = metadata.Labels,
        Annotations = new Dictionary<string, string>(metadata.Annotations ?? []) { [ReservedAtAnnotation] = Now() },
        OwnerReferences = metadata.OwnerReferences,
        Finalizers = metadata.Finalizers,
    };

    private async Task<int> TakeAsync(VniRequest request, DeviceQueue queue, VniPicture picture, bool dryRun, CancellationToken cancellation)
    {
        var vnis = request.Vnis;
        foreach (var id in vnis.Ranges.All)
        {
            if (picture.IsTaken(id))
                continue;
            var vni = new Vni(vnis.Device, vnis.Encapsulation, id);
            if (dryRun)
                return id;
            var wanted = new VNIAllocation
            {
                Metadata = new ObjectMeta
                {
                    Name = vni.AllocationName,
                    Labels = new() { [ApiNames.ManagedByLabel] = ApiNames.ManagedBy },
                    Annotations = new() { [ReservedAtAnnotation] = Now(), [NonceAnnotation] = Guid.NewGuid().ToString() },
                },
                Spec = new VNIAllocationSpec
                {
                    Device = vni.Device,
                    VniType = vni.Type,
                    Vni = id,
                    Network = new NetworkRef(NetworkKind.TenantNetwork, request.Namespace, request.Name ?? ""),
                },
            };
            var (made, exists) = await api.TryCreateAsync(ResourcePath.Danm(ApiNames.VNIAllocations, null), wanted, TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
            if (exists is null)
            {
                queue.Remember(made.Object, clock);
                return id;
            }

            var holder = await HolderAsync(vni, cancellation).ConfigureAwait(false);
            // Another replica was faster, or an attempt of this one got through though its answer did not.
            if (holder is not null)
                queue.Remember(holder, clock);
            if (holder?.Metadata.Annotations?.GetValueOrDefault(NonceAnnotation) == wanted.Metadata.Annotations[NonceAnnotation])
                return id;
        }

        throw Exhausted(vnis);
    }

    /// <summary>Who has an id; null if nobody has it any more, or nobody can tell.</summary>
    private async Task<VNIAllocation?> HolderAsync(Vni vni, CancellationToken cancellation)
    {
        try
        {
            return await api.TryGetAsync(ResourcePath.Danm(ApiNames.VNIAllocations, null, vni.AllocationName), TenantJson.Default.VNIAllocation, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsUnreadable)
        {
            return null;
        }
    }

    private static VniException Exhausted(TenantVnis vnis) => new(
            $"all {vnis.Ranges.Count} ids of {(vnis.Encapsulation == Encapsulation.Vlan ? Vni.VlanType : Vni.VxlanType)} {vnis.Ranges} on \"{vnis.Device}\" are taken: ask an administrator to widen vniRange in the TenantConfig, or delete TenantNetworks", isTemporary: false);

    private string Now() => clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>One at a time for each device, so that the requests of one replica do not race for the same id.</summary>
    private sealed class DeviceQueue
    {
        // Longer than any copy lags behind. What was deleted meanwhile is at worst not given out for so long.
        private static readonly TimeSpan Lag = TimeSpan.FromSeconds(10);

        private readonly Dictionary<string, (VNIAllocation Allocation, long At)> recent = [];

        public SemaphoreSlim Gate { get; } = new(1, 1);

        public void Remember(VNIAllocation allocation, TimeProvider clock) => recent[allocation.Metadata.Name!] = (allocation, clock.GetTimestamp());

        /// <summary>What was made just now, and is not in the copy yet.</summary>
        public List<VNIAllocation> NotIn(IEnumerable<VNIAllocation> copy, TimeProvider clock)
        {
            if (recent.Count == 0)
                return [];
            foreach (var seen in copy)
                recent.Remove(seen.Metadata.Name!);
            foreach (var (name, (_, at)) in recent)
            {
                if (clock.GetElapsedTime(at) > Lag)
                    recent.Remove(name);
            }

            return [.. recent.Values.Select(r => r.Allocation)];
        }
    }
}
