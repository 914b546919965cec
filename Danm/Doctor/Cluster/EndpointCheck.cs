using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>DanmEps whose Pod or Node is gone, and addresses that two of them have.</summary>
internal sealed class EndpointCheck(ClusterView cluster) : ICheck
{
    // What is held for the second look, and what is named.
    private const int MostSuspects = 100_000, MostNamed = 3;

    /// <inheritdoc/>
    public string Id => "cluster-danmeps";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var nodes = new HashSet<string>();
        await foreach (var node in cluster.ListAsync(ResourcePath.Core("nodes", null), null, cancellation, metadataOnly: true).ConfigureAwait(false))
            nodes.Add(node.Name);
        var pods = new HashSet<Guid>();
        await foreach (var pod in PodsAsync(cancellation).ConfigureAwait(false))
            pods.Add(pod);
        var census = new EndpointCensus(await cluster.NetworksAsync().ConfigureAwait(false), nodes, pods, MostSuspects);
        await foreach (var endpoint in cluster.ListAsync(ResourcePath.Danm(ApiNames.DanmEps, null), null, cancellation).ConfigureAwait(false))
            census.Add(endpoint);

        // A Pod that was born while the pages came is among the living now.
        if (census.WithoutPod.Count > 0)
        {
            await foreach (var pod in PodsAsync(cancellation).ConfigureAwait(false))
                census.Acquit(pod);
        }

        foreach (var (address, network, pod) in census.Twice)
            yield return Finding.Failed($"address {address} of {network} is that of two DanmEps, one of them of Pod {CniText.Quote(pod)}", "restart one of the two Pods: kubectl get danmeps -A shows whose they are");
        var suspects = census.WithoutPod.Values.SelectMany(s => s).ToList();
        if (suspects.Count > 0)
            yield return Finding.Warning($"the Pods of {suspects.Count:N0} DanmEps are gone, of {Named(suspects)}", "netwatcher of their nodes frees them within minutes; else run 'danm ipam gc' there");
        if (census.OfGoneNodes.Count > 0)
            yield return Finding.Warning($"the nodes of {census.OfGoneNodes.Values.Sum():N0} DanmEps are gone: {string.Join(", ", census.OfGoneNodes.Keys.Take(MostNamed).Select(CniText.Quote))}", "danm controller frees them after its grace (10 minutes unless set): does it lead (cluster-leases)?");
        if (census.Twice.Count == 0 && suspects.Count == 0 && census.OfGoneNodes.Count == 0)
            yield return Finding.Ok($"{census.Count:N0} DanmEps, each of a Pod that is there");
    }

    private static string Named(List<string> names) => string.Join(", ", names.Take(MostNamed).Select(CniText.Quote)) + (names.Count > MostNamed ? " and others" : "");

    private async IAsyncEnumerable<Guid> PodsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var pod in cluster.ListAsync(ResourcePath.Core("pods", null), null, cancellation, metadataOnly: true).ConfigureAwait(false))
        {
            if (Guid.TryParse(pod["metadata"]["uid"].Text, out var uid))
                yield return uid;
        }
    }
}
