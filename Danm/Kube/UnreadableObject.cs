using System.Text.Json;
using Danm.Api;
using Danm.Cni;

namespace Danm.Kube;

/// <summary>An object that the API server has, and that is not of our types.</summary>
/// <param name="Metadata">Whose the server makes sure of, whatever the rest holds.</param>
/// <param name="Json">All of it.</param>
/// <param name="Fault">Which member is wrong, as the end of a sentence; safe for logs and terminals.</param>
internal sealed record UnreadableObject(ObjectMeta Metadata, JsonElement Json, string Fault)
{
    public static UnreadableObject Of(JsonElement json, JsonException cause)
    {
        var path = (cause.Path ?? "").TrimStart('$').TrimStart('.');
        return new(MetadataOf(json), json, $"{(path.Length == 0 ? "it" : CniText.Clean(path, 200))} has the wrong type, or a number out of range");
    }

    /// <summary>The metadata of an object of any kind; empty if there is none.</summary>
    public static ObjectMeta MetadataOf(JsonElement json)
    {
        try
        {
            return json.ValueKind == JsonValueKind.Object ? json.Deserialize(ApiJson.Default.PartialObject)!.Metadata : new();
        }
        catch (JsonException)
        {
            return new();
        }
    }
}
