using System.Text.Json;
using Danm.Api;
using Danm.Ipam.Usage;
using Danm.Kube;

namespace Danm.Doctor;

/// <summary>The cluster as the command's user sees it. What several checks need is asked for once.</summary>
internal sealed class ClusterView : IDisposable
{
    /// <summary>Where Danm's own objects are.</summary>
    public const string SystemNamespace = "kube-system";

    private readonly Lazy<ApiClient> api;
    private readonly Lazy<Task<(ServerVersion, DateTimeOffset?)>> version;
    private readonly Lazy<Task<StoredNetworks>> networks;
    private readonly Lazy<Task<UsageReport>> usage;

    /// <param name="connect">Reads the kubeconfig.</param>
    /// <param name="cancellation">Ends everything.</param>
    public ClusterView(Func<ApiClient> connect, CancellationToken cancellation)
    {
        api = new(connect);
        version = new(() => api.Value.GetVersionAsync(cancellation));
        networks = new(async () => await StoredNetworks.ReadAsync(await ApiAsync().ConfigureAwait(false), cancellation).ConfigureAwait(false));
        usage = new(async () =>
        {
            var (client, stored) = (await ApiAsync().ConfigureAwait(false), await networks.Value.ConfigureAwait(false));
            return await new UsageReader(client).ReadAsync(stored.Items, stored.Items, onlyTheirs: false, null, cancellation).ConfigureAwait(false);
        });
    }

    /// <summary>The server's version and clock: whether it answers at all.</summary>
    /// <exception cref="ApiException">It does not.</exception>
    /// <exception cref="KubeConfigException">The kubeconfig cannot be used.</exception>
    public Task<(ServerVersion Version, DateTimeOffset? Clock)> VersionAsync() => version.Value;

    /// <summary>A client of a server that answers.</summary>
    /// <exception cref="CheckSkippedException">It does not.</exception>
    public async Task<ApiClient> ApiAsync()
    {
        try
        {
            await version.Value.ConfigureAwait(false);
            return api.Value;
        }
        catch (Exception e) when (e is ApiException or KubeConfigException)
        {
            throw new CheckSkippedException("the API server cannot be asked: see cluster-server");
        }
    }

    /// <summary>All networks of the cluster.</summary>
    public Task<StoredNetworks> NetworksAsync() => networks.Value;

    /// <summary>How addresses are used.</summary>
    public Task<UsageReport> UsageAsync() => usage.Value;

    /// <summary>One object of any kind; null if there is none, or the cluster does not have its kind.</summary>
    public async Task<Document?> TryGetAsync(ResourcePath path, CancellationToken cancellation)
    {
        using var json = await (await ApiAsync().ConfigureAwait(false)).TryGetAsync(path, ClusterJson.Default.JsonDocument, cancellation).ConfigureAwait(false);
        return json is null ? null : new Document(json.RootElement.Clone());
    }

    /// <summary>Objects of any kind, one page in memory at a time; none where the cluster does not have their kind.</summary>
    public async IAsyncEnumerable<Document> ListAsync(
        ResourcePath path, string? labelSelector, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation, bool metadataOnly = false)
    {
        var pages = ObjectPages.ReadAsync(await ApiAsync().ConfigureAwait(false), path, labelSelector, ApiJson.Default.ObjectListJsonElement, cancellation, metadataOnly).GetAsyncEnumerator(cancellation);
        await using (pages.ConfigureAwait(false))
        {
            while (await HasMoreAsync(pages).ConfigureAwait(false))
            {
                foreach (var item in pages.Current)
                    yield return new Document(item);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (api.IsValueCreated)
            api.Value.Dispose();
    }

    private static async ValueTask<bool> HasMoreAsync(IAsyncEnumerator<IReadOnlyList<JsonElement>> pages)
    {
        try
        {
            return await pages.MoveNextAsync().ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return false;
        }
    }
}
