using System.Globalization;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>
/// As whereabouts does: one object per pool holds a map of all allocations. Become the leader by a Lease, read the pool, add the lowest
/// free address by a JSON patch that tests the resource version, give the Lease back.
/// </summary>
/// <param name="name">As the table shows it.</param>
/// <param name="id">The names of its objects.</param>
/// <param name="polling">
/// How long a caller who finds the Lease held waits before it looks again. Null: callers queue within this process at no cost, as if a
/// perfect notification told the next one, which no implementation can better.
/// </param>
internal sealed class PoolObjectWay(string name, string id, TimeSpan? polling) : IAllocationWay
{
    private const string Pools = "/apis/rivals.danm.io/v1/namespaces/default/ippools";
    private const string Leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

    private readonly SemaphoreSlim queue = new(1, 1);
    private RivalClient[] connections = [];

    public string Name => name;

    private string PoolPath => $"{Pools}/{id}";

    private string LeasePath => $"{Leases}/{id}";

    public async Task PrepareAsync(ITestCluster cluster, int callers)
    {
        connections = Rivals.Connect(cluster, callers);
        var meta = new StoredMeta(id, "default");
        await connections[0].CreateAsync(Pools, new Stored<Pool>("rivals.danm.io/v1", "IPPool", meta, new Pool("10.0.0.0/16", [])), CancellationToken.None);
        await connections[0].CreateAsync(Leases, new Stored<Lease>("coordination.k8s.io/v1", "Lease", meta, new Lease("", 1, null)), CancellationToken.None);
        foreach (var api in connections)
            await api.GetAsync<Stored<Lease>>(LeasePath, CancellationToken.None);
    }

    public async Task<Allocation> AllocateAsync(int caller, int pod, CancellationToken cancellation)
    {
        var api = connections[caller];
        if (polling is null)
            await queue.WaitAsync(cancellation);
        try
        {
            var (lease, conflicts) = await AcquireAsync(api, $"caller-{caller}", cancellation);
            for (; ; conflicts++)
            {
                var pool = await api.GetAsync<Stored<Pool>>(PoolPath, cancellation);
                var taken = pool.Spec.Allocations ?? [];
                var free = 1;
                while (taken.ContainsKey(free.ToString(CultureInfo.InvariantCulture)))
                    free++;
                var entry = new Entry($"{pod:x64}", $"core-network/upf-{pod}", "net1");
                if (await api.PatchAsync(
                    PoolPath, [new("test", "/metadata/resourceVersion", pool.Metadata.ResourceVersion!), new("add", $"/spec/allocations/{free}", entry)], cancellation))
                {
                    await api.PutAsync(LeasePath, lease with { Spec = new Lease("", 1, Now()) }, cancellation);
                    return new Allocation($"{free}", conflicts);
                }
            }
        }
        finally
        {
            if (polling is null)
                queue.Release();
        }
    }

    public void Dispose()
    {
        queue.Dispose();
        Array.ForEach(connections, c => c.Dispose());
    }

    private async Task<(Stored<Lease> Lease, int Conflicts)> AcquireAsync(RivalClient api, string holder, CancellationToken cancellation)
    {
        for (var conflicts = 0; ;)
        {
            var lease = await api.GetAsync<Stored<Lease>>(LeasePath, cancellation);
            if (string.IsNullOrEmpty(lease.Spec.HolderIdentity) || IsExpired(lease.Spec))
            {
                if (await api.PutAsync(LeasePath, lease with { Spec = new Lease(holder, 2, Now()) }, cancellation) is { } held)
                    return (held, conflicts);
                conflicts++;
            }

            if (polling is { } pause)
                await Task.Delay(pause, cancellation);
        }
    }

    private static bool IsExpired(Lease lease) => lease.RenewTime is { } renewed
        && DateTime.UtcNow - DateTime.Parse(renewed, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal) > TimeSpan.FromSeconds(lease.LeaseDurationSeconds);

    private static string Now() => DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

    private sealed record Pool(string Range, Dictionary<string, Entry>? Allocations);

    private sealed record Entry(string Id, string Podref, string Ifname);

    private sealed record Lease(string? HolderIdentity, int LeaseDurationSeconds, string? RenewTime);
}
