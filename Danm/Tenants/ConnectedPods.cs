using Danm.Api;
using Danm.Kube;

namespace Danm.Tenants;

/// <summary>Whether Pods are attached to a network, by the DanmEps that the API server has at this moment.</summary>
/// <param name="api">The API server.</param>
internal sealed class ConnectedPods(ApiClient api)
{
    /// <summary>One of the DanmEps, of the original's too; null if there is none.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<DanmEp?> FindAsync(NetworkRef network, CancellationToken cancellation)
    {
        var pages = ObjectPages.ReadAsync(
            api, ResourcePath.Danm(ApiNames.DanmEps, network.Namespace), null, ApiJson.Default.ObjectListDanmEp, cancellation, fieldSelector: $"spec.NetworkName={network.Name}");
        await foreach (var page in pages.ConfigureAwait(false))
        {
            foreach (var endpoint in page)
            {
                if (NetworkKinds.TryParse(endpoint.Spec.ApiType, out var kind) && kind == network.Kind)
                    return endpoint;
            }
        }

        return null;
    }
}
