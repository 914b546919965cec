using Danm.Api;
using Danm.Kube;

namespace Danm.Doctor;

/// <summary>The networks of a cluster.</summary>
/// <param name="Items">Those that can be read.</param>
/// <param name="Unreadable">The others, with their kind.</param>
internal sealed record StoredNetworks(IReadOnlyList<Network> Items, IReadOnlyList<(NetworkKind Kind, UnreadableObject Object)> Unreadable)
{
    /// <summary>All of them; a kind that the cluster does not have has none.</summary>
    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    public static async Task<StoredNetworks> ReadAsync(ApiClient api, CancellationToken cancellation)
    {
        var (items, unreadable) = (new List<Network>(), new List<(NetworkKind, UnreadableObject)>());
        foreach (var kind in Enum.GetValues<NetworkKind>())
        {
            try
            {
                var list = await ReadableList<Network>.ReadAllAsync(api, ResourcePath.Danm(kind.ToPlural(), null), ApiJson.Default.Network, cancellation).ConfigureAwait(false);
                foreach (var network in list.Items)
                {
                    network.Kind = kind;
                    items.Add(network);
                }

                unreadable.AddRange(list.Unreadable.Select(u => (kind, u)));
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // A mode without this kind.
            }
        }

        return new(items, unreadable);
    }
}
