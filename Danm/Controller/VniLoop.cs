using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.Tenants;
using Microsoft.Extensions.Logging;

namespace Danm.Controller;

/// <summary>
/// Decides when a pass of <see cref="VniRepair"/> is worth its two lists: when what informers know shows something that the last pass has not
/// seen, and when a grace ends. In a cluster without TenantNetworks it only asks now and then whether there are any.
/// </summary>
internal sealed class VniLoop
{
    private const string Key = "vnis";

    // A network and its id come one after the other.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(500);

    // What holds on is said again before the API server forgets its Event.
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(10);

    private readonly VniRepair repair;
    private readonly VniMetrics metrics;
    private readonly ILogger log;
    private readonly Informer<VNIAllocation> allocations;
    private readonly Informer<Network> networks;
    private readonly ReconcileLoop<string> loop;

    public VniLoop(ApiClient api, VniRepair repair, WorkQueue<string> queue, VniMetrics metrics, Action<string> failed, ILogger log)
    {
        (this.repair, this.metrics, this.log) = (repair, metrics, log);
        allocations = Watch(ApiNames.VNIAllocations, TenantJson.Default.VNIAllocation);
        networks = Watch(ApiNames.TenantNetworks, ApiJson.Default.Network);
        loop = new ReconcileLoop<string>(queue, LookAsync, log);

        Informer<T> Watch<T>(string plural, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
            where T : class, IApiObject
        {
            var informer = new Informer<T>(api, ResourcePath.Danm(plural, null), type, new InformerOptions());
            informer.Changed += _ => queue.AddAfter(Key, Gather);
            informer.Failed += failed;
            return informer;
        }
    }

    /// <summary>Runs until it is cancelled; no failure ends it.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(allocations.RunAsync(cancellation), networks.RunAsync(cancellation), loop.RunAsync(cancellation));

    private async Task<Reconciled> LookAsync(string key, CancellationToken cancellation)
    {
        if (allocations.State != InformerState.Listed || networks.State != InformerState.Listed)
            return Reconciled.Done;
        var known = allocations.Items;
        var plan = VniRules.Decide(known, networks.Items);
        metrics.See(known, plan);
        if (repair.IsNews(plan))
        {
            var result = await repair.RunAsync(cancellation).ConfigureAwait(false);
            if (result.Failures.Count > 0)
            {
                log.NotMended(result.Failures.Count, result.Failures[0]);
                return Reconciled.Retry;
            }
        }

        // What a pass has done comes back through the informers.
        return Reconciled.After(repair.UntilNext is { } next && next < Again ? next : Again);
    }
}
