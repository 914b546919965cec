using System.Text.Json.Nodes;
using Cel;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>Runs the rules of a schema over a value, and over the old value for transition rules.</summary>
public static class CelEvaluator
{
    public static void Validate(JsonNode? value, JsonNode? old, StructuralSchema schema, string path, List<FieldError> errors)
    {
        if (!schema.HasRules || value is null)
            return;
        foreach (var rule in schema.Rules)
            if (!rule.UsesOldSelf || old is not null)
                Check(rule, value, old, schema, path, errors);
        if (value is JsonObject fields)
        {
            foreach (var (name, child) in fields)
                if (schema.Child(name) is { HasRules: true } childSchema)
                    Validate(child, (old as JsonObject)?[name], childSchema, path.Length == 0 ? name : schema.IsMap ? $"{path}[{name}]" : $"{path}.{name}", errors);
        }
        else if (value is JsonArray list && schema.Items is { HasRules: true } items)
        {
            for (var i = 0; i < list.Count; i++)
                Validate(list[i], schema.ListType == "map" ? Correlate(list[i], old as JsonArray, schema.ListMapKeys) : null, items, $"{path}[{i}]", errors);
        }
    }

    private static JsonNode? Correlate(JsonNode? item, JsonArray? old, string[] keys) =>
        old?.FirstOrDefault(o => keys.All(k => JsonNode.DeepEquals(o.At(k), item.At(k))));

    private static void Check(CelRule rule, JsonNode value, JsonNode? old, StructuralSchema schema, string path, List<FieldError> errors)
    {
        var variables = new Dictionary<string, object?> { ["self"] = ToCel(value, schema) };
        if (rule.UsesOldSelf)
            variables["oldSelf"] = ToCel(old, schema);
        try
        {
            if (rule.Program(variables) is true)
                return;
        }
        catch (CelException e)
        {
            errors.Add(FieldError.Invalid(Shown(path), value, $"rule evaluation error: {e.Message} evaluating rule: {rule.Message ?? rule.Rule}"));
            return;
        }
        var field = rule.FieldPath is { } suffix ? path + suffix : Shown(path);
        var message = rule.MessageProgram?.Invoke(variables) as string ?? rule.Message?.Trim() ?? $"failed rule: {rule.Rule.Trim()}";
        errors.Add(rule.Reason switch
        {
            "FieldValueForbidden" => FieldError.Forbidden(field, message),
            "FieldValueRequired" => FieldError.Required(field, message),
            "FieldValueDuplicate" => FieldError.Duplicate(field, value),
            _ => FieldError.Invalid(field, value, message),
        });
    }

    private static string Shown(string path) => path.Length == 0 ? "<nil>" : path;

    /// <summary>Only what the schema declares is visible to a rule, by escaped name.</summary>
    private static object? ToCel(JsonNode? value, StructuralSchema? schema)
    {
        switch (value)
        {
            case null:
                return null;
            case JsonObject fields when schema is { IsMap: true } map:
                return fields.ToDictionary(f => f.Key, f => ToCel(f.Value, map.AdditionalProperties));
            case JsonObject fields:
                return fields.Where(f => schema?.Properties.ContainsKey(f.Key) == true)
                    .ToDictionary(f => CelReading.Escape(f.Key), f => ToCel(f.Value, schema!.Properties[f.Key]));
            case JsonArray list:
                return list.Select(i => ToCel(i, schema?.Items)).ToArray();
            default:
                var scalar = (JsonValue)value;
                if (scalar.TryGetValue(out string? text))
                    return text;
                if (scalar.TryGetValue(out bool flag))
                    return flag;
                return schema?.Type != "number" && SchemaValidator.AsInteger(scalar) is { } integer ? integer : SchemaValidator.AsNumber(scalar);
        }
    }
}
