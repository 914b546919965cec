using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>Whether Pods are attached to a network, by the DanmEps and IPAllocations that the API server has at this moment.</summary>
/// <param name="api">The API server.</param>
internal sealed class ConnectedPods(ApiClient api)
{
    /// <summary>One of the DanmEps, of the original's too; null if there is none.</summary>
    /// <param name="network">The network; one that no object can be has no Pods.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="until">metadata.creationTimestamp of another network of that name, whose own DanmEps are younger and do not count; null: all count.</param>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<DanmEp?> FindAsync(NetworkRef network, CancellationToken cancellation, string? until = null)
    {
        if (!CanBe(network))
            return null;
        var pages = ObjectPages.ReadAsync(
            api, ResourcePath.Danm(ApiNames.DanmEps, network.Namespace), null, ApiJson.Default.ObjectListDanmEp, cancellation, fieldSelector: $"spec.NetworkName={EscapeValue(network.Name)}");
        await foreach (var page in pages.ConfigureAwait(false))
        {
            foreach (var endpoint in page)
            {
                if (NetworkKinds.TryParse(endpoint.Spec.ApiType, out var kind) && kind == network.Kind && IsOf(endpoint.Metadata, until))
                    return endpoint;
            }
        }

        return null;
    }

    /// <summary>
    /// One of the IPAllocations; null if there is none. They outlast the DanmEps of a namespace that is being deleted, until the node has taken
    /// its Pods off the wire.
    /// </summary>
    /// <inheritdoc cref="FindAsync" path="/param"/>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<IPAllocation?> FindAddressAsync(NetworkRef network, CancellationToken cancellation, string? until = null)
    {
        if (!CanBe(network))
            return null;
        var (path, selector) = (ResourcePath.Danm(ApiNames.IPAllocations, null), $"{ApiNames.NetworkLabel}={network.ToLabelValue()}");
        if (until is null)
            return (await api.ListAsync(path, $"limit=1&labelSelector={Uri.EscapeDataString(selector)}", ApiJson.Default.ObjectListIPAllocation, cancellation).ConfigureAwait(false)).Items.FirstOrDefault();
        await foreach (var page in ObjectPages.ReadAsync(api, path, selector, ApiJson.Default.ObjectListIPAllocation, cancellation).ConfigureAwait(false))
        {
            if (page.FirstOrDefault(a => IsOf(a.Metadata, until)) is { } allocation)
                return allocation;
        }

        return null;
    }

    /// <summary>A value of a field selector, as fields.EscapeValue of k8s.io/apimachinery writes it.</summary>
    internal static string EscapeValue(string value) => value.Replace(@"\", @"\\").Replace(",", @"\,").Replace("=", @"\=");

    private static bool CanBe(NetworkRef network) => Names.IsSubdomain(network.Name) && (network.Namespace is null || Names.IsSubdomain(network.Namespace));

    // Timestamps have whole seconds. What came within the same one may be the former network's.
    private static bool IsOf(ObjectMeta metadata, string? until) => until is null || string.CompareOrdinal(metadata.CreationTimestamp, until) <= 0;
}
