using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>Checks a value against a structural schema; all faults at once, in the server's words.</summary>
public static class SchemaValidator
{
    public static List<FieldError> Validate(JsonNode? value, StructuralSchema schema, string path)
    {
        var errors = new List<FieldError>();
        Validate(value, schema, path, errors);
        return errors;
    }

    private static void Validate(JsonNode? value, StructuralSchema schema, string path, List<FieldError> errors)
    {
        if (value is null && (schema.Nullable || schema is { Type: "", IntOrString: false, PreserveUnknownFields: true }))
            return;
        var actual = TypeOf(value);
        if (schema.IntOrString ? actual is not ("integer" or "string")
            : schema.Type.Length > 0 && actual != schema.Type && !(schema.Type == "number" && actual == "integer"))
        {
            var wanted = schema.IntOrString ? "integer,string" : schema.Type;
            errors.Add(FieldError.TypeInvalid(path, actual, $"{path} in body must be of type {wanted}: \"{actual}\""));
            return;
        }
        if (schema.Enum is { } allowed && !allowed.Any(a => JsonNode.DeepEquals(a, value)))
            errors.Add(FieldError.NotSupported(path, value, allowed.Select(a => a.String() ?? a?.ToJsonString() ?? "null")));
        switch (value)
        {
            case JsonObject fields:
                ValidateObject(fields, schema, path, errors);
                break;
            case JsonArray list:
                ValidateArray(list, schema, path, errors);
                break;
            case JsonValue when actual == "string":
                ValidateString(value.GetValue<string>(), schema, path, errors);
                break;
            case JsonValue number when AsNumber(number) is { } n:
                ValidateNumber(n, number, schema, path, errors);
                break;
        }
        ValidateJunctors(value, schema, path, errors);
    }

    private static void ValidateObject(JsonObject fields, StructuralSchema schema, string path, List<FieldError> errors)
    {
        foreach (var name in schema.Required)
            if (!fields.ContainsKey(name))
                errors.Add(FieldError.Required(Join(path, name)));
        if (fields.Count > schema.MaxProperties)
            errors.Add(FieldError.TooMany(path, fields.Count, schema.MaxProperties.Value));
        if (fields.Count < schema.MinProperties)
            errors.Add(FieldError.Invalid(path, fields, $"{path} in body should have at least {schema.MinProperties} properties"));
        foreach (var (name, child) in fields)
            if (schema.Child(name) is { } childSchema)
                Validate(child, childSchema, Join(path, name), errors);
    }

    private static void ValidateArray(JsonArray list, StructuralSchema schema, string path, List<FieldError> errors)
    {
        if (list.Count > schema.MaxItems)
            errors.Add(FieldError.TooMany(path, list.Count, schema.MaxItems.Value));
        if (list.Count < schema.MinItems)
            errors.Add(FieldError.Invalid(path, list.Count, $"{path} in body should have at least {schema.MinItems} items"));
        if (schema.Items is { } items)
            for (var i = 0; i < list.Count; i++)
                Validate(list[i], items, $"{path}[{i}]", errors);
        if (schema.ListType == "atomic")
            return;
        var seen = new HashSet<string>();
        for (var i = 0; i < list.Count; i++)
        {
            var key = schema.ListType == "set" ? list[i]
                : new JsonObject(schema.ListMapKeys.Select(k => KeyValuePair.Create(k, (list[i] as JsonObject)?[k]?.DeepClone())));
            if (!seen.Add(key?.ToJsonString() ?? "null"))
                errors.Add(FieldError.Duplicate($"{path}[{i}]", key));
        }
    }

    private static void ValidateString(string text, StructuralSchema schema, string path, List<FieldError> errors)
    {
        if (text.Length > schema.MaxLength && text.EnumerateRunes().Count() > schema.MaxLength)
            errors.Add(FieldError.TooLong(path, schema.MaxLength.Value));
        if (schema.MinLength > 0 && text.EnumerateRunes().Count() < schema.MinLength)
            errors.Add(FieldError.Invalid(path, text, $"{path} in body should be at least {schema.MinLength} chars long"));
        if (schema.PatternRegex is { } regex && !regex.IsMatch(text))
            errors.Add(FieldError.Invalid(path, text, $"{path} in body should match '{schema.Pattern}'"));
        if (schema.Format is { } format && !Formats.Matches(format, text))
            errors.Add(FieldError.Invalid(path, text, $"{path} in body must be of type {format}: \"{text}\""));
    }

    private static void ValidateNumber(double number, JsonValue value, StructuralSchema schema, string path, List<FieldError> errors)
    {
        if (schema.Minimum is { } minimum && (schema.ExclusiveMinimum ? number <= minimum : number < minimum))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{Show(minimum)}"));
        if (schema.Maximum is { } maximum && (schema.ExclusiveMaximum ? number >= maximum : number > maximum))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{Show(maximum)}"));
        if (schema.MultipleOf is { } factor && number % factor != 0)
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be a multiple of {Show(factor)}"));
        if (schema.Format == "int32" && number is < int.MinValue or > int.MaxValue)
            errors.Add(FieldError.Invalid(path, value, $"Checked value must be of type integer with format int32"));
    }

    private static void ValidateJunctors(JsonNode? value, StructuralSchema schema, string path, List<FieldError> errors)
    {
        foreach (var part in schema.AllOf)
            Validate(value, part, path, errors);
        if (schema.AnyOf.Length > 0 && !schema.AnyOf.Any(s => Validate(value, s, path).Count == 0))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body must validate at least one schema (anyOf)"));
        if (schema.OneOf.Length > 0 && schema.OneOf.Count(s => Validate(value, s, path).Count == 0) != 1)
            errors.Add(FieldError.Invalid(path, value, $"{path} in body must validate one and only one schema (oneOf)"));
        if (schema.Not is { } not && Validate(value, not, path).Count == 0)
            errors.Add(FieldError.Invalid(path, value, $"{path} in body must not validate the schema (not)"));
    }

    public static string TypeOf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        _ => value.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            _ => AsInteger((JsonValue)value) is null ? "number" : "integer",
        },
    };

    /// <summary>An integer as the server sees it: 1.0 and 1e3 are integers too, but only within 64 bits.</summary>
    public static long? AsInteger(JsonValue value)
    {
        if (value.TryGetValue(out long integer))
            return integer;
        if (value.TryGetValue(out int small))
            return small;
        return AsNumber(value) is { } number && number == Math.Floor(number) && Math.Abs(number) < 9e18 ? (long)number : null;
    }

    public static double? AsNumber(JsonValue value) => value.GetValueKind() == JsonValueKind.Number
        ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)
        : null;

    private static string Show(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
