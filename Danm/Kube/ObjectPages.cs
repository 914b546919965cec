using System.Runtime.CompilerServices;
using System.Text.Json;
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
    /// <param name="fieldSelector">What selects besides; null: nothing.</param>
    /// <exception cref="ApiException">Refused or no answer; 410 when the server has forgotten the list's version between two pages.</exception>
    public static async IAsyncEnumerable<IReadOnlyList<T>> ReadAsync<T>(
        ApiClient api, ResourcePath path, string? labelSelector, JsonTypeInfo<ObjectList<T>> type, [EnumeratorCancellation] CancellationToken cancellation, bool metadataOnly = false, string? fieldSelector = null)
    {
        string? next = null;
        do
        {
            var query = Query(labelSelector, next) + (fieldSelector is null ? "" : $"&fieldSelector={Uri.EscapeDataString(fieldSelector)}");
            var page = metadataOnly
                ? await api.ListMetadataAsync(path, query, type, cancellation).ConfigureAwait(false)
                : await api.ListAsync(path, query, type, cancellation).ConfigureAwait(false);
            yield return page.Items;
            next = page.Metadata.Continue;
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <summary>
    /// The pages as the server writes them, for <see cref="ListJson"/>; each is good until the next one is asked for. The server makes the
    /// next page while this one is read.
    /// </summary>
    /// <exception cref="ApiException">Refused or no answer; 410 when the server has forgotten the list's version between two pages.</exception>
    public static IAsyncEnumerable<ReadOnlyMemory<byte>> ReadBytesAsync(
        ApiClient api, ResourcePath path, string? labelSelector, bool metadataOnly, CancellationToken cancellation) =>
        ReadPagesAsync(api, path, Query(labelSelector, null), metadataOnly, cancellation);

    /// <summary>The same, with the query of the first page ready-made: <c>limit=500&amp;fieldSelector=…</c>, values escaped.</summary>
    /// <exception cref="ApiException">As above.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadPagesAsync(
        ApiClient api, ResourcePath path, string query, bool metadataOnly, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var (buffer, other) = (new PageBuffer(), new PageBuffer());
        var pending = FetchAsync(null, buffer);
        try
        {
            while (pending is not null)
            {
                var page = await pending.ConfigureAwait(false);
                (buffer, other) = (other, buffer);
                pending = ContinueOf(page) is { } next ? FetchAsync(next, buffer) : null;
                yield return page;
            }
        }
        finally
        {
            // Whoever stops in the middle has no use for the page that is on its way.
            if (pending is not null)
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await pending.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            }
        }

        Task<ReadOnlyMemory<byte>> FetchAsync(string? token, PageBuffer into) => api.ListBytesAsync(path, token is null ? query : $"{query}&continue={Uri.EscapeDataString(token)}", metadataOnly, into, stop.Token);

        string? ContinueOf(ReadOnlyMemory<byte> page)
        {
            try
            {
                return ListJson.Continue(page.Span);
            }
            catch (JsonException e)
            {
                throw new ApiException($"GET {path}", $"the answer is no valid list: {e.Message}", e);
            }
        }
    }

    /// <summary>All of a list that is known to be small; begun again when its version has expired.</summary>
    /// <exception cref="ApiException">Refused or no answer.</exception>
    public static async Task<List<T>> ReadAllAsync<T>(
        ApiClient api, ResourcePath path, string? labelSelector, JsonTypeInfo<ObjectList<T>> type, CancellationToken cancellation, string? fieldSelector = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var all = new List<T>();
                await foreach (var page in ReadAsync(api, path, labelSelector, type, cancellation, fieldSelector: fieldSelector).ConfigureAwait(false))
                    all.AddRange(page);
                return all;
            }
            catch (ApiException e) when (e.Code == System.Net.HttpStatusCode.Gone && attempt < 3)
            {
                // From the start.
            }
        }
    }

    private static string Query(string? labelSelector, string? next) =>
        $"limit={PageSize}{(labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}")}{(string.IsNullOrEmpty(next) ? "" : $"&continue={Uri.EscapeDataString(next)}")}";
}
