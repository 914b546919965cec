using System.Runtime.CompilerServices;

namespace Danm.Doctor.Cluster;

/// <summary>Other programs that give Pods interfaces or addresses: good to know when something is odd.</summary>
internal sealed class NeighbourCheck(ClusterView cluster) : ICheck
{
    private static readonly (string Program, string Meaning, string? Advice)[] Known =
    [
        ("multus", "its Pods get their further interfaces by it, and Danm's by Danm", "one inside the other is not supported: which of the two is a node's first CNI configuration says node-cni-conf"),
        ("whereabouts", "the addresses that it gives are not in Danm's IPAllocations", "give no subnet to both"),
        ("spiderpool", "it calls other plugins as Danm does", "one inside the other is not supported"),
    ];

    /// <inheritdoc/>
    public string Id => "cluster-neighbours";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var found = false;
        var workloads = await Workload.ReadAllAsync(cluster, cancellation).ConfigureAwait(false);
        foreach (var (program, meaning, advice) in Known)
        {
            if (workloads.Find(w => w.Programs.Any(p => p.Contains(program, StringComparison.OrdinalIgnoreCase))) is not { } workload)
                continue;
            found = true;
            yield return Finding.Info($"{workload} is {program}: {meaning}", advice);
        }

        if (!found)
            yield return Finding.Ok("no other metaplugin or cluster-wide IPAM is known to run here");
    }
}
