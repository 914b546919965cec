using System.Text.Json;

namespace Danm.Api;

/// <summary>One line of a watch: Kubernetes' metav1.WatchEvent.</summary>
public sealed class WatchEvent
{
    /// <summary>Kinds of events.</summary>
    public const string Added = "ADDED", Modified = "MODIFIED", Deleted = "DELETED", Bookmark = "BOOKMARK", Error = "ERROR";

    /// <summary>One of the constants.</summary>
    public string? Type { get; set; }

    /// <summary>The object; of a bookmark its resourceVersion only; of an error a metav1.Status.</summary>
    public JsonElement Object { get; set; }
}
