using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>A DaemonSet or Deployment of anybody's.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Account">Its Pods' service account.</param>
/// <param name="Programs">The last parts of its images' names, without registry and tag: <c>cleaner</c>.</param>
/// <param name="Arguments">Command and arguments of its containers.</param>
internal sealed record Workload(string Kind, string Namespace, string Name, string Account, IReadOnlyList<string> Programs, IReadOnlyList<string> Arguments)
{
    /// <summary>All of a cluster.</summary>
    public static async Task<List<Workload>> ReadAllAsync(ClusterView cluster, CancellationToken cancellation)
    {
        var all = new List<Workload>();
        foreach (var (kind, plural) in ((string, string)[])[("DaemonSet", "daemonsets"), ("Deployment", "deployments")])
        {
            await foreach (var item in cluster.ListAsync(ResourcePath.Of("apps/v1", plural, null), null, cancellation).ConfigureAwait(false))
            {
                var pod = item["spec"]["template"]["spec"];
                var containers = pod["containers"].Items.ToList();
                all.Add(new Workload(
                    kind, item.Namespace, item.Name, pod["serviceAccountName"].Text, [.. containers.Select(c => ProgramOf(c["image"].Text))],
                    [.. containers.SelectMany(c => c["command"].Texts.Concat(c["args"].Texts))]));
            }
        }

        return all;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {Namespace}/{Name}";

    private static string ProgramOf(string image)
    {
        var name = image[(image.LastIndexOf('/') + 1)..];
        var end = name.IndexOfAny([':', '@']);
        return end < 0 ? name : name[..end];
    }
}
