using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>Reading and writing of JSON as the server does it: strict, no duplicate keys, bounded depth.</summary>
public static class Json
{
    /// <summary>Writes without HTML escapes, so that messages and stored text read as they came.</summary>
    public static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 512 };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 512 };

    /// <exception cref="StatusException">400: the text is no JSON object.</exception>
    public static JsonObject ParseObject(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: Strict) as JsonObject
                ?? throw StatusException.BadRequest("the body is not a JSON object");
        }
        catch (JsonException e)
        {
            throw StatusException.BadRequest($"the body is not valid JSON: {e.Message}");
        }
    }

    public static JsonNode? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: Strict);
        }
        catch (JsonException e)
        {
            throw StatusException.BadRequest($"the body is not valid JSON: {e.Message}");
        }
    }

    public static byte[] ToUtf8(JsonNode node)
    {
        using var buffer = new MemoryStream(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 512 }))
            node.WriteTo(writer, Relaxed);
        return buffer.ToArray();
    }

    public static string? String(this JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>The strings of a list; none where there is no list.</summary>
    public static string[] Strings(this JsonNode? node) => node is JsonArray list ? [.. list.Select(i => i.String()).OfType<string>()] : [];

    /// <summary>The value at a path of property names, or null where any of them is missing.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            node = node is JsonObject fields && fields.TryGetPropertyValue(name, out var next) ? next : null;
        return node;
    }

    public static JsonObject Child(this JsonObject parent, string name)
    {
        if (parent[name] is JsonObject child)
            return child;
        parent[name] = child = [];
        return child;
    }
}
