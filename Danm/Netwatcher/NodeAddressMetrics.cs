using System.Diagnostics.Metrics;
using Danm.Api;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Netwatcher;

/// <summary>
/// This node's share of the pools of the networks that its Pods are on. Added over all nodes it is what is used; no node need read the
/// addresses of the cluster for that.
/// </summary>
internal sealed class NodeAddressMetrics : IDisposable
{
    private readonly Meter meter = new("Danm.Netwatcher.Addresses");
    private readonly NetworkWishes wishes;

    /// <param name="wishes">The networks, and the node's DanmEps.</param>
    public NodeAddressMetrics(NetworkWishes wishes)
    {
        this.wishes = wishes;
        Gauge("danm_ipam_node_addresses", "Addresses of the network's pool that Pods of this node have.", s => s.Used);
        Gauge("danm_ipam_pool_size", "Addresses that the network's pool spans.", s => (double)s.Pool.Size);
        Gauge("danm_ipam_pool_reserved", "Addresses of the network's pool that nobody can have.", s => s.Pool.Reserved);

        void Gauge(string name, string description, Func<Share, double> value) =>
            meter.CreateObservableGauge(name, () => Read().Select(s => new Measurement<double>(value(s), s.Tags)), description: description);
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();

    private IEnumerable<Share> Read()
    {
        foreach (var group in wishes.Endpoints.Items.GroupBy(NetworkOf))
        {
            if (group.Key is not { } network || wishes.FindNetwork(network) is not { } found)
                continue;
            foreach (var (pool, family, addressOf) in Pools(found))
            {
                var used = group.Count(e => AddressOf(addressOf(e)) is { } address && pool.IndexOf(address.Address) is not null);
                yield return new Share(pool, used, [new("kind", network.Kind.ToName()), new("namespace", network.Namespace ?? ""), new("network", network.Name), new("family", family)]);
            }
        }
    }

    // A pool that contradicts itself is the webhook's and the claims' business.
    private static List<(AddressPool Pool, string Family, Func<DanmEp, string> AddressOf)> Pools(Network network)
    {
        var pools = new List<(AddressPool, string, Func<DanmEp, string>)>();
        try
        {
            if (AddressPool.IPv4(network) is { } pool)
                pools.Add((pool, "ipv4", e => e.Spec.Interface.Address));
            if (AddressPool.IPv6(network) is { } pool6)
                pools.Add((pool6, "ipv6", e => e.Spec.Interface.AddressIPv6));
        }
        catch (NetworkFaultException)
        {
            pools.Clear();
        }

        return pools;
    }

    private static CidrAddress? AddressOf(string text) => CidrAddress.TryParse(text, out var address) ? address : null;

    private static NetworkRef? NetworkOf(DanmEp endpoint) => NetworkKinds.TryParse(endpoint.Spec.ApiType, out var kind)
        ? new NetworkRef(kind, kind.IsNamespaced() ? endpoint.Metadata.Namespace : null, endpoint.Spec.NetworkName)
        : null;

    private sealed record Share(AddressPool Pool, int Used, KeyValuePair<string, object?>[] Tags);
}
