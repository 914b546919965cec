using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Doctor.Cluster;

/// <summary>Networks that cannot work as they are stored, and those that get into each other's way.</summary>
internal sealed class NetworkCheck(ClusterView cluster) : ICheck
{
    // Every one is compared with every other.
    private const int MostCompared = 3000;

    /// <inheritdoc/>
    public string Id => "cluster-networks";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var stored = await cluster.NetworksAsync().ConfigureAwait(false);
        var wrong = false;
        foreach (var finding in Look(stored, cancellation))
        {
            wrong = true;
            yield return finding;
        }

        if (!wrong)
            yield return Finding.Ok($"{stored.Items.Count} networks can be used, and none is in another's way");
    }

    /// <summary>What is wrong with them.</summary>
    internal static IEnumerable<Finding> Look(StoredNetworks stored, CancellationToken cancellation)
    {
        foreach (var (kind, broken) in stored.Unreadable)
            yield return Finding.Failed($"{new NetworkRef(kind, broken.Metadata.Namespace, broken.Metadata.Name ?? "")} cannot be read: {broken.Fault}", "correct it: no Pod can use it");
        foreach (var network in stored.Items)
        {
            if (NetworkRules.Check(network) is { Count: > 0 } faults)
                yield return Finding.Failed($"{network.Ref}: {new NetworkFaultException(faults).Message}", "correct it: no Pod can use it");
        }

        if (stored.Items.Count > MostCompared)
        {
            yield return Finding.Info($"{stored.Items.Count} networks are too many to compare each with each");
            yield break;
        }

        foreach (var network in stored.Items)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var warning in NetworkNeighbours.Warnings(network, stored.Items))
                yield return Finding.Warning($"{network.Ref}: {warning}", "give one of them another NetworkID, id or subnet; docs/network-rules.md says what may be shared");
        }
    }
}
