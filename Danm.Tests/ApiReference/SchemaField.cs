using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.ApiReference;

/// <summary>A field of a schema, at any depth.</summary>
/// <param name="Path">Its path in the object, <c>spec.Options.routes.*</c> for the values of a map, <c>hostDevices[]</c> for items of a list.</param>
/// <param name="Schema">What the definition says of it.</param>
/// <param name="IsRequired">Whether its parent lacks something without it.</param>
internal sealed record SchemaField(string Path, JsonObject Schema, bool IsRequired)
{
    private static readonly string[] Common = ["apiVersion", "kind", "metadata"];

    // Every other keyword of a schema is structure, or a limit that is told below.
    private static readonly string[] Told =
    [
        "description", "type", "format", "properties", "items", "additionalProperties", "required", "x-kubernetes-validations", "x-kubernetes-map-type",
        "default", "enum", "minimum", "maximum", "minLength", "maxLength", "maxItems", "maxProperties", "pattern", "nullable",
    ];

    public string Description => Schema["description"].String()!;

    public string Type => Schema["type"].String() switch
    {
        "array" => $"list of {TypeOf(Schema["items"])}",
        "object" when Schema["additionalProperties"] is { } values => $"map of {TypeOf(values)}",
        var type => type!,
    };

    public string Default => Schema["default"]?.ToJsonString() ?? "";

    /// <summary>Every rule on its value but those in CEL.</summary>
    /// <exception cref="NotSupportedException">The schema says something that this does not know to tell.</exception>
    public IEnumerable<string> Limits
    {
        get
        {
            if (Schema.Select(k => k.Key).Except(Told).FirstOrDefault() is { } keyword)
                throw new NotSupportedException($"{Path}: {keyword}");
            if (Schema["format"].String() is { } format)
                yield return format;
            if (Schema["enum"] is JsonArray values)
                yield return $"one of {string.Join(", ", values.Select(v => Code(v.String() is "" ? "\"\"" : v.String()!)))}";
            if (Range("minimum", "maximum") is { } numbers)
                yield return numbers;
            if (Schema["enum"] is null && Range("minLength", "maxLength") is { } lengths)
                yield return $"{lengths} characters";
            if (Schema["maxItems"] is { } items)
                yield return $"at most {items} items";
            if (Schema["maxProperties"] is { } entries)
                yield return $"at most {entries} entries";
            if (Schema["pattern"].String() is { } pattern)
                yield return Code(pattern);
            if (Schema["nullable"]?.GetValue<bool>() == true)
                yield return "null is allowed";
            if (Schema["x-kubernetes-map-type"].String() is { } mapType)
                yield return $"{mapType}: one writer has all of it";
            // Values of a map or a list have a row of their own only where they have fields.
            if ((Schema["items"] ?? Schema["additionalProperties"]) is JsonObject { } each && each["properties"] is null)
            {
                foreach (var limit in new SchemaField($"{Path}[]", each, false).Limits)
                    yield return $"each {limit}";
            }
        }
    }

    public IEnumerable<(string Rule, string Message)> Rules =>
        (Schema["x-kubernetes-validations"] as JsonArray ?? []).Select(r => (r!["rule"].String()!, r["message"].String()!));

    /// <summary>All fields of an object, each before those below it; not those that every Kubernetes object has.</summary>
    public static IEnumerable<SchemaField> Of(JsonObject root) => Below("", root).Where(f => !Common.Contains(f.Path));

    private static IEnumerable<SchemaField> Below(string prefix, JsonObject schema)
    {
        var required = (schema["required"] as JsonArray ?? []).Select(r => r.String()).ToHashSet();
        foreach (var (name, value) in schema["properties"] as JsonObject ?? [])
        {
            var field = new SchemaField($"{prefix}{name}", (JsonObject)value!, required.Contains(name));
            yield return field;
            foreach (var below in Below($"{field.Path}.", field.Schema))
                yield return below;
            if (field.Schema["items"] is JsonObject items)
            {
                foreach (var below in Below($"{field.Path}[].", items))
                    yield return below;
            }
        }
    }

    internal static string Code(string text) => $"`{text.Replace("|", "\\|", StringComparison.Ordinal)}`";

    private static string TypeOf(JsonNode? schema) => schema!["type"].String() is "object" ? "objects" : $"{schema["type"].String()}s";

    private string? Range(string least, string most) => (Schema[least], Schema[most]) switch
    {
        (null, null) => null,
        ({ } min, null) => $"at least {min}",
        (null, { } max) => $"at most {max}",
        ({ } min, { } max) => $"{min} to {max}",
    };
}
