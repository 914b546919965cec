using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>
/// Reads <c>openAPIV3Schema</c> and refuses, with the server's field paths, what is not structural.
/// A keyword that is legal but not built here is refused too (501), never passed over.
/// </summary>
public sealed class SchemaReader
{
    private static readonly HashSet<string> Types = ["object", "array", "string", "integer", "number", "boolean"];

    private readonly List<FieldError> errors = [];

    public IReadOnlyList<FieldError> Errors => errors;

    public StructuralSchema Read(JsonObject source, string path)
    {
        var schema = Read(source, path, valueOnly: false);
        if (schema.Type != "object")
            errors.Add(FieldError.Invalid($"{path}.type", schema.Type, "must be object at the root"));
        if (schema.AdditionalProperties is not null)
            errors.Add(FieldError.Forbidden($"{path}.additionalProperties", "must not be used at the root"));
        CheckCommonFields(schema, path);
        if (errors.Count == 0)
            CelCompiler.Compile(schema, path, errors);
        if (errors.Count == 0)
            CheckDefaults(schema, path);
        return schema;
    }

    // What every object has is the server's: a definition may narrow names, and say no more of it, not even a description of metadata.
    private void CheckCommonFields(StructuralSchema schema, string path)
    {
        foreach (var name in (string[])["apiVersion", "kind"])
            if (schema.Properties.TryGetValue(name, out var text) && text.Type != "string")
                errors.Add(FieldError.Invalid($"{path}.properties[{name}].type", text.Type, "must be string"));
        if (!schema.Properties.TryGetValue("metadata", out var metadata))
            return;
        if (metadata.Type != "object")
            errors.Add(FieldError.Invalid($"{path}.properties[metadata].type", metadata.Type, "must be object"));
        if (metadata.Source.Any(f => f.Key is not ("type" or "properties")) || metadata.Properties.Keys.Any(k => k is not ("name" or "generateName")))
            errors.Add(FieldError.Forbidden($"{path}.properties[metadata]", "must not specify anything other than name and generateName, but metadata is implicitly specified"));
    }

    /// <param name="valueOnly">Inside allOf, anyOf, oneOf, not: only conditions on the value may stand there.</param>
    private StructuralSchema Read(JsonObject source, string path, bool valueOnly)
    {
        foreach (var (keyword, _) in source)
            CheckKeyword(keyword, path, valueOnly);
        var type = source["type"].String() ?? "";
        var intOrString = Flag(source, "x-kubernetes-int-or-string");
        var preserve = Flag(source, "x-kubernetes-preserve-unknown-fields");
        if (type.Length > 0 && !Types.Contains(type))
            errors.Add(FieldError.NotSupported($"{path}.type", type, Types));
        if (!valueOnly && type.Length == 0 && !intOrString && !preserve)
            errors.Add(FieldError.Required($"{path}.type", "must not be empty for specified object fields"));
        if (intOrString && type.Length > 0)
            errors.Add(FieldError.Forbidden($"{path}.type", "must be empty if x-kubernetes-int-or-string is true"));

        var properties = new Dictionary<string, StructuralSchema>();
        foreach (var (name, value) in source["properties"] as JsonObject ?? [])
            properties[name] = value is JsonObject child ? Read(child, $"{path}.properties[{name}]", valueOnly) : StructuralSchema.Anything;
        StructuralSchema? additional = source["additionalProperties"] switch
        {
            null => null,
            JsonObject child => Read(child, $"{path}.additionalProperties", valueOnly),
            JsonValue value when value.TryGetValue(out bool allowed) && allowed => throw StatusException.NotImplemented($"{path}.additionalProperties: true"),
            _ => Refuse($"{path}.additionalProperties", "must not be used: false is forbidden in a structural schema"),
        };
        if (additional is not null && properties.Count > 0)
            errors.Add(FieldError.Forbidden($"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"));
        StructuralSchema? items = source["items"] switch
        {
            null => null,
            JsonObject child => Read(child, $"{path}.items", valueOnly),
            _ => Refuse($"{path}.items", "items must be a schema object and not an array"),
        };
        if (type == "array" && items is null && !valueOnly)
            errors.Add(FieldError.Required($"{path}.items", "must be specified"));

        var listType = source["x-kubernetes-list-type"].String() ?? "atomic";
        if (listType is not ("atomic" or "set" or "map"))
            errors.Add(FieldError.NotSupported($"{path}.x-kubernetes-list-type", listType, ["atomic", "map", "set"]));
        if (source["x-kubernetes-map-type"] is { } mapType && mapType.String() is not ("atomic" or "granular"))
            errors.Add(FieldError.NotSupported($"{path}.x-kubernetes-map-type", mapType, ["atomic", "granular"]));
        var keys = Strings(source["x-kubernetes-list-map-keys"]);
        if (listType == "map")
            foreach (var key in keys.Where(k => items?.Properties.ContainsKey(k) != true))
                errors.Add(FieldError.Invalid($"{path}.x-kubernetes-list-map-keys", key, "entries must all be names of item properties"));
        if ((listType == "map") != keys.Length > 0)
            errors.Add(FieldError.Required($"{path}.x-kubernetes-list-map-keys", "goes with x-kubernetes-list-type map, and only with it"));
        if (Flag(source, "uniqueItems"))
            errors.Add(FieldError.Forbidden($"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));

        return new StructuralSchema
        {
            Type = type,
            Description = source["description"].String(),
            Format = Formats.Known(source["format"].String(), path),
            Pattern = source["pattern"].String(),
            PatternRegex = source["pattern"].String() is { } pattern ? Regex(pattern, path) : null,
            Enum = source["enum"] as JsonArray,
            Minimum = Number(source, "minimum", path),
            Maximum = Number(source, "maximum", path),
            ExclusiveMinimum = Flag(source, "exclusiveMinimum"),
            ExclusiveMaximum = Flag(source, "exclusiveMaximum"),
            MultipleOf = Number(source, "multipleOf", path),
            MinLength = (int?)Number(source, "minLength", path),
            MaxLength = (int?)Number(source, "maxLength", path),
            MinItems = (int?)Number(source, "minItems", path),
            MaxItems = (int?)Number(source, "maxItems", path),
            MinProperties = (int?)Number(source, "minProperties", path),
            MaxProperties = (int?)Number(source, "maxProperties", path),
            Required = Strings(source["required"]),
            Properties = properties,
            AdditionalProperties = additional,
            Items = items,
            Default = source["default"]?.DeepClone(),
            Nullable = Flag(source, "nullable"),
            IntOrString = intOrString,
            PreserveUnknownFields = preserve,
            ListType = listType,
            ListMapKeys = keys,
            AllOf = Junctor(source, "allOf", path),
            AnyOf = Junctor(source, "anyOf", path),
            OneOf = Junctor(source, "oneOf", path),
            Not = source["not"] is JsonObject not ? Read(not, $"{path}.not", valueOnly: true) : null,
            Source = source,
        };
    }

    private void CheckKeyword(string keyword, string path, bool valueOnly)
    {
        switch (keyword)
        {
            case "type" or "description" or "title" or "default" or "nullable" or "additionalProperties" or "x-kubernetes-validations"
                or "x-kubernetes-list-type" or "x-kubernetes-list-map-keys" or "x-kubernetes-map-type"
                or "x-kubernetes-preserve-unknown-fields" or "x-kubernetes-int-or-string":
                if (valueOnly && keyword != "type")
                    errors.Add(FieldError.Forbidden($"{path}.{keyword}", "must be undefined to be structural"));
                break;
            case "properties" or "items" or "required" or "enum" or "pattern" or "format" or "minimum" or "maximum"
                or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf" or "minLength" or "maxLength" or "minItems" or "maxItems"
                or "minProperties" or "maxProperties" or "uniqueItems" or "allOf" or "anyOf" or "oneOf" or "not" or "example" or "externalDocs":
                break;
            case "x-kubernetes-embedded-resource":
                throw StatusException.NotImplemented($"{path}.{keyword}");
            case "$ref" or "definitions" or "dependencies" or "patternProperties" or "additionalItems" or "id" or "$schema":
                errors.Add(FieldError.Forbidden($"{path}.{keyword}", $"{keyword} is not supported"));
                break;
            default:
                throw StatusException.BadRequest($"strict decoding error: unknown field \"{path}.{keyword}\"");
        }
    }

    private StructuralSchema[] Junctor(JsonObject source, string keyword, string path) =>
        [.. (source[keyword] as JsonArray ?? []).Select((s, i) => Read(s as JsonObject ?? [], $"{path}.{keyword}[{i}]", valueOnly: true))];

    private static string[] Strings(JsonNode? list) => list is JsonArray array ? [.. array.Select(v => v.String() ?? "")] : [];

    private static bool Flag(JsonObject source, string keyword) =>
        source[keyword] is JsonValue value && value.TryGetValue(out bool set) && set;

    private double? Number(JsonObject source, string keyword, string path)
    {
        if (source[keyword] is not { } value)
            return null;
        if (value is JsonValue number && SchemaValidator.AsNumber(number) is { } result)
            return result;
        errors.Add(FieldError.Invalid($"{path}.{keyword}", value, "must be a number"));
        return null;
    }

    private Regex? Regex(string pattern, string path)
    {
        try
        {
            return GoRegex.Compile(pattern);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            errors.Add(FieldError.Invalid($"{path}.pattern", pattern, $"must be a valid regular expression, but isn't: {e.Message}"));
            return null;
        }
    }

    private StructuralSchema? Refuse(string field, string why)
    {
        errors.Add(FieldError.Forbidden(field, why));
        return null;
    }

    /// <summary>A default must itself be valid and hold nothing that would be pruned.</summary>
    private void CheckDefaults(StructuralSchema schema, string path)
    {
        if (schema.Default is { } value)
        {
            var pruned = new JsonObject { ["v"] = value.DeepClone() };
            var unknown = new List<string>();
            SchemaPruner.Prune(pruned["v"], schema, "default", unknown);
            errors.AddRange(unknown.Select(u => FieldError.Invalid($"{path}.default", value, $"must not have unknown fields: {u}")));
            errors.AddRange(SchemaValidator.Validate(value, schema, $"{path}.default"));
        }
        foreach (var (name, child) in schema.Properties)
            CheckDefaults(child, $"{path}.properties[{name}]");
        if (schema.Items is { } items)
            CheckDefaults(items, $"{path}.items");
        if (schema.AdditionalProperties is { } additional)
            CheckDefaults(additional, $"{path}.additionalProperties");
    }
}
