using System.Text.Json.Nodes;
using Cel;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Deployment;

/// <summary>A request as admission sees it.</summary>
/// <param name="User">Who asks.</param>
/// <param name="Node">The node that the token says; null: none.</param>
/// <param name="Operation">CREATE, UPDATE or DELETE.</param>
/// <param name="Resource">group/resource[/subresource]; of the core group without the first.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Object">What is to be stored; null at a DELETE.</param>
/// <param name="OldObject">What is stored; null at a CREATE.</param>
internal sealed record AdmissionQuestion(string User, string? Node, string Operation, string Resource, string Name, JsonObject? Object, JsonObject? OldObject);

/// <summary>A ValidatingAdmissionPolicy (KEP-3488), evaluated by the common expression language's own library.</summary>
internal sealed class AdmissionPolicy(JsonObject policy)
{
    private static readonly CelEnvironment Environment = new([], "");

    /// <summary>Why the request is refused; null if the policy lets it pass, or is not about it.</summary>
    public string? Refusal(AdmissionQuestion question)
    {
        if (!Matches(question))
            return null;
        var variables = new Dictionary<string, object?>
        {
            ["object"] = ToCel(question.Object),
            ["oldObject"] = ToCel(question.OldObject),
            ["request"] = ToCel(Request(question)),
        };
        foreach (var condition in List("matchConditions"))
        {
            if (Evaluate(condition["expression"], variables) is not true)
                return null;
        }

        var computed = new Dictionary<string, object?>();
        foreach (var variable in List("variables"))
            computed[variable["name"].String()!] = Evaluate(variable["expression"], variables);
        variables["variables"] = computed;
        foreach (var validation in List("validations"))
        {
            if (Evaluate(validation["expression"], variables) is not true)
                return validation["message"].String() ?? (string)Evaluate(validation["messageExpression"], variables)!;
        }

        return null;
    }

    private bool Matches(AdmissionQuestion question)
    {
        var parts = question.Resource.Split('/');
        // Resources of the core group have no dot before their first slash.
        var (group, resource) = parts[0].Contains('.', StringComparison.Ordinal) ? (parts[0], string.Join('/', parts[1..])) : ("", question.Resource);
        return policy.At("spec", "matchConstraints", "resourceRules")!.AsArray().Any(rule =>
            Has(rule!["apiGroups"], group) && Has(rule["resources"], resource) && Has(rule["operations"], question.Operation));

        static bool Has(JsonNode? list, string value) => list!.AsArray().Any(v => v.String() == value);
    }

    private static JsonObject Request(AdmissionQuestion question)
    {
        var user = new JsonObject { ["username"] = question.User, ["groups"] = new JsonArray("system:serviceaccounts", "system:authenticated") };
        if (question.Node is not null)
            user["extra"] = new JsonObject { ["authentication.kubernetes.io/node-name"] = new JsonArray(question.Node) };
        return new JsonObject { ["operation"] = question.Operation, ["name"] = question.Name, ["userInfo"] = user };
    }

    private IEnumerable<JsonNode> List(string name) => (policy.At("spec", name) as JsonArray ?? []).Select(n => n!);

    private static object? Evaluate(JsonNode? expression, Dictionary<string, object?> variables) => Environment.Compile(expression.String()!)(variables);

    private static object? ToCel(JsonNode? node) => node switch
    {
        JsonObject map => map.ToDictionary(p => p.Key, p => ToCel(p.Value)),
        JsonArray list => list.Select(ToCel).ToList(),
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        JsonValue value when value.TryGetValue<long>(out var number) => number,
        _ => null,
    };
}
