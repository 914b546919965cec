using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Danm.Api;

namespace Danm.Kube;

/// <summary>A list, page by page, so that memory holds one page of it.</summary>
internal static class ObjectPages
{
    private const int PageSize = 500;

    /// <param name="api">The API server.</param>
    /// <param name="path">The collection.</param>
    /// <param name="labelSelector">What selects; null: everything.</param>
    /// <param name="type">The kind.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="metadataOnly">Whether the server leaves out everything but the metadata.</param>
    /// <exception cref="ApiException">Refused or no answer; 410 when the server has forgotten the list's version between two pages.</exception>
    public static async IAsyncEnumerable<IReadOnlyList<T>> ReadAsync<T>(
        ApiClient api, ResourcePath path, string? labelSelector, JsonTypeInfo<ObjectList<T>> type, [EnumeratorCancellation] CancellationToken cancellation, bool metadataOnly = false)
    {
        var query = $"limit={PageSize}{(labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}")}";
        string? next = null;
        do
        {
            var pageQuery = string.IsNullOrEmpty(next) ? query : $"{query}&continue={Uri.EscapeDataString(next)}";
            var page = metadataOnly
                ? await api.ListMetadataAsync(path, pageQuery, type, cancellation).ConfigureAwait(false)
                : await api.ListAsync(path, pageQuery, type, cancellation).ConfigureAwait(false);
            yield return page.Items;
            next = page.Metadata.Continue;
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <summary>All of a list that is known to be small; begun again when its version has expired.</summary>
    /// <exception cref="ApiException">Refused or no answer.</exception>
    public static async Task<List<T>> ReadAllAsync<T>(
        ApiClient api, ResourcePath path, string? labelSelector, JsonTypeInfo<ObjectList<T>> type, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var all = new List<T>();
                await foreach (var page in ReadAsync(api, path, labelSelector, type, cancellation).ConfigureAwait(false))
                    all.AddRange(page);
                return all;
            }
            catch (ApiException e) when (e.Code == System.Net.HttpStatusCode.Gone && attempt < 3)
            {
                // From the start.
            }
        }
    }
}
