using System.Runtime.CompilerServices;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether Danm's calls have a share of the API server of their own.</summary>
internal sealed class FlowControlCheck(ClusterView cluster) : ICheck
{
    private const string Group = "flowcontrol.apiserver.k8s.io/v1", Apply = "kubectl apply -k manifests/flowcontrol";

    /// <inheritdoc/>
    public string Id => "cluster-flowcontrol";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var wrong = false;
        foreach (var wanted in BuildManifests.Of("flowcontrol"))
        {
            var plural = wanted["kind"].Text == "FlowSchema" ? "flowschemas" : "prioritylevelconfigurations";
            var live = await cluster.TryGetAsync(ResourcePath.Of(Group, plural, null, wanted.Name), cancellation).ConfigureAwait(false);
            var fault = live is null ? "is missing"
                : live.Value["status"]["conditions"].Items.Any(c => c["type"].Text == "Dangling" && c["status"].Text == "True") ? "names a level that does not exist"
                : null;
            if (fault is null)
                continue;
            wrong = true;
            yield return Finding.Warning($"{wanted} {fault}: a storm of Pod starts may be refused (429), or hold others up", Apply);
        }

        if (!wrong)
            yield return Finding.Ok("Danm's calls have a priority level of their own");
    }
}
