using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>What a real server checks of policies and their bindings beyond the schema; and what this one does not carry out, it does not take.</summary>
public static class AdmissionPolicyRules
{
    /// <exception cref="StatusException">501: the policy needs what this server cannot do.</exception>
    public static void Check(JsonObject policy, List<FieldError> errors)
    {
        var spec = (JsonObject)policy["spec"]!;
        Refuse(spec, "paramKind", "auditAnnotations");
        var constraints = spec["matchConstraints"] as JsonObject;
        if ((constraints?["resourceRules"] as JsonArray ?? []).Count == 0)
            errors.Add(FieldError.Required("spec.matchConstraints.resourceRules"));
        Refuse(constraints, "excludeResourceRules");
        foreach (var rule in constraints?["resourceRules"] as JsonArray ?? [])
            Refuse(rule as JsonObject, "resourceNames");

        var names = new HashSet<string>();
        foreach (var (condition, path) in Each(spec, "matchConditions"))
        {
            if (!names.Add(condition["name"].String() ?? ""))
                errors.Add(FieldError.Duplicate($"{path}.name", condition["name"]));
            CheckExpression(condition, "expression", path, null, errors);
        }

        var variables = new List<string>();
        foreach (var (variable, path) in Each(spec, "variables"))
        {
            CheckExpression(variable, "expression", path, variables, errors);
            if (variables.Contains(variable["name"].String() ?? ""))
                errors.Add(FieldError.Duplicate($"{path}.name", variable["name"]));
            variables.Add(variable["name"].String() ?? "");
        }

        if (!Each(spec, "validations").Any())
            errors.Add(FieldError.Required("spec.validations", "validations or auditAnnotations must contain at least one item"));
        foreach (var (validation, path) in Each(spec, "validations"))
        {
            CheckExpression(validation, "expression", path, variables, errors);
            CheckExpression(validation, "messageExpression", path, variables, errors);
        }
    }

    /// <exception cref="StatusException">501: the binding needs what this server cannot do.</exception>
    public static void CheckBinding(JsonObject binding, List<FieldError> errors)
    {
        var spec = (JsonObject)binding["spec"]!;
        Refuse(spec, "paramRef", "matchResources");
        var actions = spec["validationActions"].Strings();
        if (actions.Distinct().Count() < actions.Length)
            errors.Add(FieldError.Duplicate("spec.validationActions", spec["validationActions"]));
        if (actions.Contains("Deny") && actions.Contains("Warn"))
            errors.Add(FieldError.Invalid("spec.validationActions", spec["validationActions"], "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"));
    }

    private static void CheckExpression(JsonNode holder, string field, string path, IEnumerable<string>? variables, List<FieldError> errors)
    {
        if (holder[field].String() is { } text)
            errors.AddRange(PolicyExpressions.Faults(text, variables).Select(f => FieldError.Invalid($"{path}.{field}", text, $"compilation failed: {f}")));
    }

    private static IEnumerable<(JsonNode Item, string Path)> Each(JsonObject spec, string list) =>
        (spec[list] as JsonArray ?? []).Select((item, index) => (item!, $"spec.{list}[{index}]"));

    private static void Refuse(JsonObject? holder, params string[] fields)
    {
        foreach (var field in fields)
            if (holder?[field] is not null and not JsonArray { Count: 0 })
                throw StatusException.NotImplemented($"{field} of policies");
    }
}
