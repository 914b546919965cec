using System.Runtime.CompilerServices;
using Danm.Cni;

namespace Danm.Doctor.Cluster;

/// <summary>Addresses that are taken, and whose Pod or network is gone.</summary>
internal sealed class AllocationCheck(ClusterView cluster) : ICheck
{
    private const int MostNodes = 5;

    /// <inheritdoc/>
    public string Id => "cluster-addresses";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var report = await cluster.UsageAsync().ConfigureAwait(false);
        var wrong = false;
        foreach (var pool in report.Pools.Where(p => p.Leaked > 0))
        {
            wrong = true;
            var nodes = string.Join(", ", pool.LeakedOn.OrderByDescending(n => n.Value).Take(MostNodes).Select(n => $"{n.Value:N0} on {(n.Key.Length == 0 ? "an unknown node" : CniText.Quote(n.Key))}"));
            yield return Finding.Warning($"{pool.Leaked:N0} addresses of {pool.Network} are taken, and their Pods are gone: {nodes}", "netwatcher of the node, or the controller where the node is gone, frees them within minutes; else run 'danm ipam gc' there, and see its danm doctor");
        }

        if (report.WithoutNetwork > 0)
        {
            wrong = true;
            yield return Finding.Warning($"{report.WithoutNetwork:N0} addresses are taken on wires that no network has any more", "'danm ipam gc' shows them, and frees them on their nodes");
        }

        if (!wrong)
            yield return Finding.Ok($"{report.Allocations:N0} addresses are taken, each by a Pod that is there");
    }
}
