using System.Globalization;
using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Cni;
using Danm.Controller;
using Danm.Kube;
using Danm.Svcwatcher;

namespace Danm.Doctor.Cluster;

/// <summary>Whether one of each component's replicas leads.</summary>
internal sealed class LeaseCheck(ClusterView cluster, TimeProvider clock) : ICheck
{
    /// <inheritdoc/>
    public string Id => "cluster-leases";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var (folder, name) in ((string, string)[])[("controller", ControllerOptions.LeaseName), ("svcwatcher", SvcwatcherOptions.LeaseName)])
        {
            var component = Component.All.Single(c => c.Folder == folder);
            if (await cluster.TryGetAsync(Component.PathOf(component.Workload), cancellation).ConfigureAwait(false) is null)
                continue;
            var api = await cluster.ApiAsync().ConfigureAwait(false);
            var lease = await api.TryGetAsync(ResourcePath.Of(Lease.GroupVersion, Lease.Plural, ClusterView.SystemNamespace, name), ClusterJson.Default.Lease, cancellation).ConfigureAwait(false);
            yield return Judge(component, lease?.Spec, clock.GetUtcNow());
        }
    }

    /// <summary>What a Lease says at a time.</summary>
    internal static Finding Judge(Component component, LeaseSpec? lease, DateTimeOffset now)
    {
        var log = $"kubectl logs -n {ClusterView.SystemNamespace} -l danm={component.Folder} says why; see cluster-rbac and cluster-workloads";
        if (lease is null || string.IsNullOrEmpty(lease.HolderIdentity))
            return Finding.Failed($"nobody leads the {component.Folder}: {component.Without}", log);
        var duration = TimeSpan.FromSeconds(Math.Clamp(lease.LeaseDurationSeconds ?? 15, 1, 3600));
        return DateTimeOffset.TryParse(lease.RenewTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var renewed) && now - renewed < (duration * 2) + TimeSpan.FromSeconds(10)
            ? Finding.Ok($"{CniText.Quote(lease.HolderIdentity)} leads the {component.Folder}")
            : Finding.Failed($"{CniText.Quote(lease.HolderIdentity)} leads the {component.Folder}, and has not said so since {CniText.Quote(lease.RenewTime)}: {component.Without}", $"{log}; or is this machine's clock wrong?");
    }
}
