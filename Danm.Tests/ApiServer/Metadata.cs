using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>ObjectMeta: what a client may send, and what the server alone sets.</summary>
public static class Metadata
{
    private const string Suffix = "bcdfghjklmnpqrstvwxz2456789";

    private static readonly HashSet<string> Known =
    [
        "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
    ];

    /// <summary>Checks types, drops nulls and unknown fields (named in <paramref name="unknown"/>) and refuses finalizers.</summary>
    public static JsonObject Clean(JsonObject body, List<string> unknown)
    {
        if (body["metadata"] is not null and not JsonObject)
            throw StatusException.BadRequest("metadata: expected an object");
        var metadata = body.Child("metadata");
        foreach (var (name, value) in metadata.ToArray())
        {
            if (!Known.Contains(name))
                unknown.Add($"metadata.{name}");
            if (!Known.Contains(name) || value is null or JsonObject { Count: 0 } or JsonArray { Count: 0 } || name is "selfLink" or "managedFields")
                metadata.Remove(name);
            else
                CheckType(name, value);
        }
        if (metadata.ContainsKey("finalizers"))
            throw StatusException.NotImplemented("finalizers");
        foreach (var owner in metadata["ownerReferences"] as JsonArray ?? [])
            foreach (var field in (string[])["apiVersion", "kind", "name", "uid"])
                if (owner.At(field).String() is not { Length: > 0 })
                    throw StatusException.BadRequest($"metadata.ownerReferences: {field} is required");
        return metadata;
    }

    private static void CheckType(string name, JsonNode value)
    {
        var fits = name switch
        {
            "labels" or "annotations" => value is JsonObject map && map.All(e => e.Value.String() is not null),
            "ownerReferences" or "finalizers" => value is JsonArray,
            "generation" or "deletionGracePeriodSeconds" => value is JsonValue number && number.TryGetValue(out long _),
            _ => value.String() is not null,
        };
        if (!fits)
            throw StatusException.BadRequest($"json: cannot unmarshal into field ObjectMeta.metadata.{name}: wrong type");
    }

    /// <summary>What only the server sets is gone from a new object before admission sees it.</summary>
    public static void Wipe(JsonObject metadata)
    {
        foreach (var name in (string[])["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"])
            metadata.Remove(name);
    }

    public static void SetNew(JsonObject metadata, ResourceType type)
    {
        Wipe(metadata);
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Now();
        metadata.Remove("generation");
        if (type.HasGeneration)
            metadata["generation"] = 1;
        if (metadata["name"].String() is null or "" && metadata["generateName"].String() is { Length: > 0 } prefix)
            metadata["name"] = (prefix.Length > 58 ? prefix[..58] : prefix) + RandomNumberGenerator.GetString(Suffix, 5);
    }

    /// <summary>Carries over what an update cannot change.</summary>
    public static void KeepServerFields(JsonObject metadata, JsonObject old)
    {
        foreach (var name in (string[])["uid", "creationTimestamp", "generation", "namespace", "generateName"])
            if (old[name] is { } value)
                metadata[name] = value.DeepClone();
            else
                metadata.Remove(name);
        metadata.Remove("deletionTimestamp");
        metadata.Remove("deletionGracePeriodSeconds");
    }

    public static string Now() => DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
