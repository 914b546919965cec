using System.Text.Json.Nodes;
using Cel;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>
/// Compiles the rules of a schema. A real server estimates their cost; this one is simpler and stricter: everything that
/// a rule reads, and every list or map around it, needs maxItems, maxProperties or maxLength, and the product has a limit.
/// </summary>
public static class CelCompiler
{
    private const double CostLimit = 10_000_000;

    public static void Compile(StructuralSchema root, string path, List<FieldError> errors) => Compile(root, path, 1, correlatable: true, errors);

    /// <param name="times">How often the value may occur in an object; infinite below an unbounded list or map.</param>
    private static bool Compile(StructuralSchema schema, string path, double times, bool correlatable, List<FieldError> errors)
    {
        var rules = new List<CelRule>();
        foreach (var (node, index) in (schema.Source["x-kubernetes-validations"] as JsonArray ?? []).Select((n, i) => (n as JsonObject ?? [], i)))
            if (Rule(schema, node, $"{path}.x-kubernetes-validations[{index}]", times, correlatable, errors) is { } rule)
                rules.Add(rule);
        schema.Rules = [.. rules];
        var below = false;
        foreach (var (name, child) in schema.Properties)
            below |= Compile(child, $"{path}.properties[{name}]", times, correlatable, errors);
        if (schema.Items is { } items)
            below |= Compile(items, $"{path}.items", times * (schema.MaxItems ?? double.PositiveInfinity), correlatable && schema.ListType == "map", errors);
        if (schema.AdditionalProperties is { } additional)
            below |= Compile(additional, $"{path}.additionalProperties", times * (schema.MaxProperties ?? double.PositiveInfinity), correlatable, errors);
        return schema.HasRules = below || rules.Count > 0;
    }

    private static CelRule? Rule(StructuralSchema schema, JsonObject node, string path, double times, bool correlatable, List<FieldError> errors)
    {
        foreach (var (keyword, _) in node)
            if (keyword is "optionalOldSelf")
                throw StatusException.NotImplemented($"{path}.{keyword}");
            else if (keyword is not ("rule" or "message" or "messageExpression" or "reason" or "fieldPath"))
                throw StatusException.BadRequest($"strict decoding error: unknown field \"{path}.{keyword}\"");
        if (node["rule"].String() is not { Length: > 0 } rule)
        {
            errors.Add(FieldError.Required($"{path}.rule", "rule is not specified"));
            return null;
        }
        var reading = CelReading.Of(rule, schema);
        errors.AddRange(reading.Faults.Select(f => FieldError.Invalid($"{path}.rule", rule, $"compilation failed: {f}")));
        if (reading.UsesOldSelf && !correlatable)
            errors.Add(FieldError.Invalid($"{path}.rule", rule, "oldSelf cannot be used on the uncorrelatable portion of the schema"));
        if (reading.Cost * times > CostLimit)
            errors.Add(FieldError.Forbidden($"{path}.rule", "estimated rule cost exceeds budget by factor of "
                + (double.IsFinite(reading.Cost * times) ? $"{reading.Cost * times / CostLimit:0.#}x" : "more than 100x")
                + " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
                + (reading.Unbounded.Count > 0 ? $": unbounded {string.Join(", ", reading.Unbounded)}" : "")));
        if (errors.Count > 0)
            return null;
        var program = Program(rule, $"{path}.rule", errors);
        var message = node["messageExpression"].String() is { } expression ? Program(expression, $"{path}.messageExpression", errors) : null;
        var reason = node["reason"].String() ?? "FieldValueInvalid";
        if (reason is not ("FieldValueInvalid" or "FieldValueForbidden" or "FieldValueRequired" or "FieldValueDuplicate"))
            errors.Add(FieldError.NotSupported($"{path}.reason", reason, ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"]));
        return program is null ? null
            : new CelRule(rule, node["message"].String(), reason, node["fieldPath"].String(), program, message) { UsesOldSelf = reading.UsesOldSelf };
    }

    private static CelProgramDelegate? Program(string expression, string path, List<FieldError> errors)
    {
        try
        {
            return CelPresence.Compile(expression);
        }
        catch (CelException e)
        {
            errors.Add(FieldError.Invalid(path, expression, $"compilation failed: {e.Message}"));
            return null;
        }
    }
}
