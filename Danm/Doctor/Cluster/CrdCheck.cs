using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether the cluster knows Danm's kinds, as this build does.</summary>
internal sealed class CrdCheck(ClusterView cluster) : ICheck
{
    private const string GroupVersion = "apiextensions.k8s.io/v1", Plural = "customresourcedefinitions";

    // Of the production mode, resp. of the lightweight one; the others are in both.
    private static readonly string[] Optional = [ApiNames.DanmNets, ApiNames.TenantNetworks, ApiNames.TenantConfigs, ApiNames.VNIAllocations];

    /// <inheritdoc/>
    public string Id => "cluster-crds";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (present, absent, wrong) = (0, new HashSet<string>(), false);
        foreach (var wanted in BuildManifests.Of("crds"))
        {
            if (await cluster.TryGetAsync(ResourcePath.Of(GroupVersion, Plural, null, wanted.Name), cancellation).ConfigureAwait(false) is not { } live)
            {
                absent.Add(wanted["spec"]["names"]["plural"].Text);
                continue;
            }

            present++;
            foreach (var finding in Compare(wanted, live))
            {
                wrong = true;
                yield return finding;
            }
        }

        foreach (var plural in absent.Where(a => !Optional.Contains(a)))
        {
            wrong = true;
            yield return Finding.Failed($"the CustomResourceDefinition {plural}.{ApiNames.Group} is missing", "kubectl apply -k manifests/production, or manifests/lightweight");
        }

        // A TenantNetwork needs all three.
        string[] tenants = [.. Optional[1..].Where(absent.Contains)];
        if (tenants.Length is 1 or 2)
        {
            wrong = true;
            yield return Finding.Failed($"of the kinds for tenants {string.Join(" and ", tenants)} {(tenants.Length == 1 ? "is" : "are")} missing", "kubectl apply -k manifests/production");
        }

        if (!wrong)
            yield return Finding.Ok($"{present} CustomResourceDefinitions are as this build's");
    }

    private static IEnumerable<Finding> Compare(Document wanted, Document live)
    {
        if (live["status"]["conditions"].Items.FirstOrDefault(c => c["type"].Text == "Established")["status"].Text != "True")
            yield return Finding.Failed($"{live.Name} is not established: {Cause(live)}", "kubectl describe crd says why; delete whatever has its names, and apply it again");
        if (VersionOf(live) is not { Exists: true } version || version["served"].Text != "true")
        {
            yield return Finding.Failed($"{live.Name} does not serve {ApiNames.Version}", "kubectl apply -k manifests/production, or manifests/lightweight, of this build");
            yield break;
        }

        var (ours, theirs) = (SchemaFields.Of(VersionOf(wanted)), SchemaFields.Of(version));
        if (ours.FirstOrDefault(f => !theirs.Contains(f)) is { } lacking)
            yield return Finding.Failed($"{live.Name} is older than this build: it has no {lacking}, which the API server drops from objects", "kubectl apply -k manifests/production, or manifests/lightweight, of this build");
        else if (theirs.FirstOrDefault(f => !ours.Contains(f)) is { } later)
            yield return Finding.Info($"{live.Name} is of a later build, or has been changed: it has {later} besides");
    }

    private static Document VersionOf(Document crd) => crd["spec"]["versions"].Items.FirstOrDefault(v => v["name"].Text == ApiNames.Version);

    private static string Cause(Document crd) =>
        crd["status"]["conditions"].Items.Where(c => c["status"].Text != "True").Select(c => c["message"].Text).FirstOrDefault(m => m.Length > 0) ?? "the server does not say why";
}
