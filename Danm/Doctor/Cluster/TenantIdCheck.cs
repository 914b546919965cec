using System.Globalization;
using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Doctor.Cluster;

/// <summary>VLAN and VxLAN ids that are reserved for TenantNetworks that are not there, and the other way round.</summary>
internal sealed class TenantIdCheck(ClusterView cluster, TimeProvider clock) : ICheck
{
    // The controller's own grace is 10 minutes unless set, and it looks every so often.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(20);

    /// <inheritdoc/>
    public string Id => "cluster-vnis";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var networks = new Dictionary<string, NetworkRef>();
        foreach (var network in (await cluster.NetworksAsync().ConfigureAwait(false)).Items.Where(n => n.Kind == NetworkKind.TenantNetwork))
        {
            if (Vni.WrittenIn(network) is { } vni)
                networks.TryAdd(vni.AllocationName, network.Ref);
        }

        var (found, unused, wrong) = (new HashSet<string>(), 0, false);
        await foreach (var allocation in cluster.ListAsync(ResourcePath.Danm(ApiNames.VNIAllocations, null), null, cancellation).ConfigureAwait(false))
        {
            found.Add(allocation.Name);
            if (networks.ContainsKey(allocation.Name) || !DateTimeOffset.TryParse(allocation["metadata"]["creationTimestamp"].Text, CultureInfo.InvariantCulture, out var made) || clock.GetUtcNow() - made < Grace)
                continue;
            (unused, wrong) = (unused + 1, true);
            var of = allocation["spec"]["network"];
            yield return Finding.Warning($"VNIAllocation {allocation.Name} was made for {CniText.Quote($"{of["namespace"].Text}/{of["name"].Text}")}, and no TenantNetwork has that id", "danm controller frees it after --vni-grace: does it lead (cluster-leases)? What an import made is for you to free: kubectl delete vniallocation");
        }

        foreach (var (name, network) in networks.Where(n => !found.Contains(n.Key)))
        {
            wrong = true;
            yield return Finding.Warning($"{network} has an id that no VNIAllocation reserves ({name}): another tenant may get it", "danm controller makes it within minutes: does it lead (cluster-leases)?");
        }

        if (!wrong)
            yield return Finding.Ok($"{networks.Count} TenantNetworks have ids of their own");
    }
}
