using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danm.Api;

namespace Danm.Kube;

/// <summary>
/// A list of which each object is read by itself: one from before its kind had a schema, with a member of the wrong type, must not hide the
/// others. What it may stand for, whoever asks decides.
/// </summary>
/// <param name="Items">What could be read.</param>
/// <param name="Unreadable">The rest.</param>
internal sealed record ReadableList<T>(IReadOnlyList<T> Items, IReadOnlyList<UnreadableObject> Unreadable)
    where T : class
{
    /// <summary>All of a list that is known to be small; begun again when its version has expired.</summary>
    /// <exception cref="ApiException">Refused or no answer.</exception>
    public static async Task<ReadableList<T>> ReadAllAsync(ApiClient api, ResourcePath path, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var (items, unreadable) = (new List<T>(), new List<UnreadableObject>());
        foreach (var element in await ObjectPages.ReadAllAsync(api, path, null, ApiJson.Default.ObjectListJsonElement, cancellation).ConfigureAwait(false))
        {
            try
            {
                if (element.Deserialize(type) is { } item)
                    items.Add(item);
            }
            catch (JsonException e)
            {
                unreadable.Add(UnreadableObject.Of(element, e));
            }
        }

        return new(items, unreadable);
    }
}
