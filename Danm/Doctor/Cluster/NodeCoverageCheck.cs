using System.Runtime.CompilerServices;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether every node has a running installer and netwatcher.</summary>
internal sealed class NodeCoverageCheck(ClusterView cluster) : ICheck
{
    private const int MostNamed = 5;

    /// <inheritdoc/>
    public string Id => "cluster-nodes";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var nodes = new List<string>();
        await foreach (var node in cluster.ListAsync(ResourcePath.Core("nodes", null), null, cancellation, metadataOnly: true).ConfigureAwait(false))
        {
            if (node["metadata"]["labels"]["kubernetes.io/os"].Text is "" or "linux")
                nodes.Add(node.Name);
        }

        var wrong = false;
        foreach (var (component, label, without) in ((string, string, string)[])[("installer", "danm=cni", "a new token"), ("netwatcher", "danm=netwatcher", "VLAN and VxLAN interfaces, and cleaning up")])
        {
            var ready = new HashSet<string>();
            await foreach (var pod in cluster.ListAsync(ResourcePath.Core("pods", ClusterView.SystemNamespace), label, cancellation).ConfigureAwait(false))
            {
                if (pod["status"]["conditions"].Items.FirstOrDefault(c => c["type"].Text == "Ready")["status"].Text == "True")
                    ready.Add(pod["spec"]["nodeName"].Text);
            }

            var lacking = nodes.Where(n => !ready.Contains(n)).Order(StringComparer.Ordinal).ToList();
            if (lacking.Count == 0)
                continue;
            wrong = true;
            var named = string.Join(", ", lacking.Take(MostNamed).Select(CniText.Quote)) + (lacking.Count > MostNamed ? $" and {lacking.Count - MostNamed} more" : "");
            yield return Finding.Warning($"{lacking.Count} of {nodes.Count} nodes have no {component} that is ready: {named} get no {without}", $"kubectl get pods -n {ClusterView.SystemNamespace} -l {label} -o wide; its log, and danm doctor on that node, say why");
        }

        if (!wrong)
            yield return Finding.Ok($"all {nodes.Count} nodes have an installer and a netwatcher");
    }
}
