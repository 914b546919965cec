using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;

namespace Danm.Tenants;

/// <summary>All networks of the cluster, what tenants may have, and which ids are taken: copies that the API server keeps up to date.</summary>
public sealed class NetworkView
{
    private readonly (NetworkKind Kind, Informer<Network> Informer)[] networks;
    private readonly Informer<TenantConfig> configs;
    private readonly Informer<VNIAllocation> allocations;

    /// <param name="api">The API server.</param>
    /// <param name="failed">Told what could not be read.</param>
    /// <param name="clock">The time; null: the system's.</param>
    public NetworkView(ApiClient api, Action<string> failed, TimeProvider? clock = null)
    {
        networks = [.. Enum.GetValues<NetworkKind>().Select(kind => (kind, Watch(kind.ToPlural(), ApiJson.Default.Network)))];
        Gone = new GoneNetworks(clock ?? TimeProvider.System);
        Array.Find(networks, n => n.Kind == NetworkKind.TenantNetwork).Informer.Changed += Gone.Hear;
        configs = Watch(ApiNames.TenantConfigs, TenantJson.Default.TenantConfig);
        allocations = Watch(ApiNames.VNIAllocations, TenantJson.Default.VNIAllocation);

        Informer<T> Watch<T>(string plural, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
            where T : class, IApiObject
        {
            var informer = new Informer<T>(api, ResourcePath.Danm(plural, null), type, new InformerOptions());
            informer.Failed += failed;
            return informer;
        }
    }

    /// <summary>The kinds that are not known whole yet; a kind that the cluster does not have is.</summary>
    public IEnumerable<string> Unknown =>
    [
        .. networks.Where(n => n.Informer.State == InformerState.Unknown).Select(n => n.Kind.ToPlural()),
        .. configs.State == InformerState.Unknown ? [ApiNames.TenantConfigs] : (string[])[],
        .. allocations.State == InformerState.Unknown ? [ApiNames.VNIAllocations] : (string[])[],
    ];

    /// <summary>Networks of all kinds.</summary>
    public IEnumerable<Network> Networks => networks.SelectMany(n => Of(n.Kind));

    /// <summary>The TenantConfigs; the first by name counts.</summary>
    public IReadOnlyList<TenantConfig> Configs => configs.Items;

    /// <summary>The ids that are taken.</summary>
    public IReadOnlyList<VNIAllocation> Allocations => allocations.Items;

    /// <summary>The ids of TenantNetworks that were there lately.</summary>
    public GoneNetworks Gone { get; }

    /// <summary>Networks of one kind.</summary>
    public IEnumerable<Network> Of(NetworkKind kind)
    {
        foreach (var network in Array.Find(networks, n => n.Kind == kind).Informer.Items)
        {
            // Items of a list do not say it; the same is written each time.
            network.Kind = kind;
            yield return network;
        }
    }

    /// <summary>Keeps the copies up to date until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) =>
        Task.WhenAll([.. networks.Select(n => n.Informer.RunAsync(cancellation)), configs.RunAsync(cancellation), allocations.RunAsync(cancellation)]);
}
