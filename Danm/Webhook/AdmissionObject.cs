using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danm.Api;
using Danm.Networks;

namespace Danm.Webhook;

/// <summary>Objects of a review, read as our types.</summary>
internal static class AdmissionObject
{
    /// <summary>Reads one; null if there is none, as the old object of a CREATE.</summary>
    /// <exception cref="NetworkFaultException">A member has the wrong type: webhooks see an object before its schema is checked.</exception>
    public static T? Read<T>(JsonElement? element, JsonTypeInfo<T> type)
        where T : class
    {
        if (element is not { ValueKind: JsonValueKind.Object } present)
            return null;
        try
        {
            return present.Deserialize(type);
        }
        catch (JsonException e)
        {
            throw new NetworkFaultException((e.Path ?? "$").TrimStart('$').TrimStart('.') is { Length: > 0 } path ? path : "object", null, "has the wrong type, or a number out of range");
        }
    }

    /// <summary>Reads a network, with its kind.</summary>
    /// <exception cref="NetworkFaultException">A member has the wrong type.</exception>
    public static Network? ReadNetwork(JsonElement? element, NetworkKind kind)
    {
        if (Read(element, AdmissionJson.Default.Network) is not { } network)
            return null;
        network.Kind = kind;
        return network;
    }

    /// <summary>Whether there is an object already.</summary>
    public static bool IsUpdate(AdmissionRequest request) => request.OldObject is { ValueKind: JsonValueKind.Object };

    /// <summary>Whether an update changes what is wanted, and not only labels, annotations, owners, finalizers or a status.</summary>
    public static bool ChangesAny(AdmissionRequest request, params ReadOnlySpan<string> members)
    {
        foreach (var member in members)
        {
            if (!JsonElement.DeepEquals(Member(request.Object, member), Member(request.OldObject, member)))
                return true;
        }

        return false;
    }

    /// <summary>metadata.name; null if it cannot be read.</summary>
    public static string? NameOf(JsonElement? element) =>
        Member(element, "metadata") is { ValueKind: JsonValueKind.Object } metadata && metadata.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()
            : null;

    private static JsonElement Member(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } present && present.TryGetProperty(name, out var value) ? value : JsonElement.Parse("null");
}
