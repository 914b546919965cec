using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Danm.Api;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Components of nokia/danm and danm-utils that still run, and what they do to Danm's objects.</summary>
internal sealed class OriginalCheck(ClusterView cluster, TimeProvider clock) : ICheck
{
    private const string LockName = "danm-svc-controller", LockAnnotation = "control-plane.alpha.kubernetes.io/leader";

    // Their holder renews it every few seconds.
    private static readonly TimeSpan LongAgo = TimeSpan.FromMinutes(2);

    // The original's workloads and images, by their names: some of these are anybody's, and count together only.
    private static readonly string[] Workloads = ["danm-cni", "netwatcher", "svcwatcher", "danm-webhook-deployment"], OwnImages = ["danm-cni-plugins", "danm-installer"];

    private static readonly string[] Images = ["danm-cni-plugins", "danm-installer", "netwatcher", "svcwatcher", "webhook"], Folders = ["cni", "netwatcher", "svcwatcher", "webhook"];

    private static readonly string[] OldKinds = [ApiNames.DanmNets, ApiNames.DanmEps, ApiNames.TenantNetworks, ApiNames.ClusterNetworks, ApiNames.TenantConfigs];

    /// <inheritdoc/>
    public string Id => "cluster-original";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var wrong = false;
        foreach (var finding in (await Workload.ReadAllAsync(cluster, cancellation).ConfigureAwait(false)).Select(Judge).OfType<Finding>())
        {
            wrong = true;
            yield return finding;
        }

        if (await LockHolderAsync(cancellation).ConfigureAwait(false) is { } holder)
        {
            wrong = true;
            yield return Finding.Failed($"a svcwatcher of the original holds its lock, Endpoints {ClusterView.SystemNamespace}/{LockName} ({holder}): Danm's waits for it", "delete the DaemonSet svcwatcher; the lock runs out by itself");
        }

        var old = new List<string>();
        foreach (var plural in OldKinds)
        {
            if (await cluster.TryGetAsync(ResourcePath.Of("apiextensions.k8s.io/v1", "customresourcedefinitions", null, $"{plural}.{ApiNames.LegacyGroup}"), cancellation).ConfigureAwait(false) is not null)
                old.Add(plural);
        }

        if (old.Count > 0)
        {
            wrong = true;
            yield return Finding.Info($"the cluster still has {string.Join(", ", old)} of {ApiNames.LegacyGroup}, which Danm does not read", "when no node has the original's plugin any more, and their networks are in danm.io, delete those CustomResourceDefinitions");
        }

        if (!wrong)
            yield return Finding.Ok("nothing of nokia/danm runs here");
    }

    /// <summary>What a workload is, if it is one of the original's; null for any other.</summary>
    internal static Finding? Judge(Workload workload)
    {
        if (workload.Account == "danm-cleaner" || (workload.Name.Contains("danm", StringComparison.Ordinal) && workload.Programs.Contains("cleaner")))
            return Finding.Failed($"{workload} is danm-utils' Cleaner: it deletes DanmEps without freeing their addresses", "delete it first of all; netwatcher and danm controller do its work");
        if (workload is { Name: "policer", Account: "policer" } || workload.Programs.Contains("policer"))
            return Finding.Failed($"{workload} is danm-utils' Policer: it does not see Danm's objects, and enforces no DanmNetworkPolicy any more", "Danm has nothing in its place: find another way for those policies before you delete it");
        if (workload.Namespace != ClusterView.SystemNamespace || !IsNamedAsOriginal(workload) || IsOurs(workload))
            return null;
        return workload.Name == "svcwatcher"
            ? Finding.Failed($"{workload} is the original's svcwatcher: two write for the same Services", "delete it; Danm's is the Deployment danm-svcwatcher")
            : Finding.Failed($"{workload} runs the original's image {string.Join(", ", workload.Programs)}", "apply Danm's manifests; where its selector differs, delete it first");
    }

    private static bool IsNamedAsOriginal(Workload workload) =>
        workload.Programs.Any(OwnImages.Contains) || (Workloads.Contains(workload.Name) && workload.Programs.Any(Images.Contains));

    // Ours may have been given such an image name by whoever mirrors it.
    private static bool IsOurs(Workload workload) => Folders.Select(f => BuildManifests.Of(f, "DaemonSet", "Deployment").Single()).Any(
        w => w["kind"].Text == workload.Kind && w.Name == workload.Name && w["spec"]["template"]["spec"]["containers"].Items.Any(c => workload.Arguments.Count > 0 && c["args"].Texts.FirstOrDefault() == workload.Arguments[0]));

    private async Task<string?> LockHolderAsync(CancellationToken cancellation)
    {
        var endpoints = await cluster.TryGetAsync(ResourcePath.Core(Endpoints.Plural, ClusterView.SystemNamespace, LockName), cancellation).ConfigureAwait(false);
        var text = endpoints?["metadata"]["annotations"][LockAnnotation].Text;
        if (string.IsNullOrEmpty(text))
            return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            var record = new Document(json.RootElement);
            return DateTimeOffset.TryParse(record["renewTime"].Text, CultureInfo.InvariantCulture, out var renewed) && clock.GetUtcNow() - renewed < LongAgo
                ? Cni.CniText.Quote(record["holderIdentity"].Text)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
