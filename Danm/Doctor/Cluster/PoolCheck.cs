using System.Runtime.CompilerServices;

namespace Danm.Doctor.Cluster;

/// <summary>Networks that have no address left, or nearly none.</summary>
internal sealed class PoolCheck(ClusterView cluster) : ICheck
{
    private const double NearlyFull = 0.9;

    /// <inheritdoc/>
    public string Id => "cluster-pools";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var report = await cluster.UsageAsync().ConfigureAwait(false);
        var wrong = false;
        foreach (var pool in report.Pools.Where(p => p.Free == 0 || p.Share >= NearlyFull))
        {
            wrong = true;
            yield return pool.Free == 0
                ? Finding.Failed($"{pool.Network} has no free address in {pool.Pool}: no further Pod starts on it", $"widen its pool (Pods that run keep theirs), or remove Pods; 'danm ipam inspect {pool.Network.Kind}/{pool.Network.Name}' says who has what")
                : Finding.Warning($"{pool.Network} has {pool.Free:N0} free addresses left in {pool.Pool}", "widen its pool soon");
        }

        if (!wrong)
            yield return Finding.Ok($"{report.Pools.Count} pools have free addresses; {report.Allocations:N0} are in use");
    }
}
