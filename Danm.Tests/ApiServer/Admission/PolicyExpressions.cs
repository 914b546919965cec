using System.Text.Json.Nodes;
using Cel;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>The common expression language as policies have it (KEP-3488): <c>object</c>, <c>oldObject</c>, <c>request</c> and <c>variables</c>.</summary>
internal static class PolicyExpressions
{
    private static readonly StructuralSchema Request = ReadRequest();

    /// <exception cref="CelException">It is no expression.</exception>
    public static CelProgramDelegate Compile(string expression) => CelPresence.Compile(expression);

    /// <summary>Why a real server would not take it: what the compiler says, names that are unknown, fields that no request has.</summary>
    /// <param name="expression">The text.</param>
    /// <param name="variables">Names below <c>variables</c>; null where there are none.</param>
    /// <exception cref="StatusException">501: it uses what this server does not have.</exception>
    public static IEnumerable<string> Faults(string expression, IEnumerable<string>? variables)
    {
        var names = new Dictionary<string, StructuralSchema?> { ["object"] = null, ["oldObject"] = null, ["request"] = Request };
        if (variables is not null)
            names["variables"] = new() { Type = "object", Properties = variables.ToDictionary(v => v, _ => StructuralSchema.Anything) };
        var reading = CelReading.Of(expression, names);
        foreach (var lacking in (string[])["namespaceObject", "params", "authorizer"])
            if (reading.Undeclared.Contains(lacking))
                throw StatusException.NotImplemented($"{lacking} in policies");
        foreach (var fault in reading.Faults)
            yield return fault;
        if (Uncompilable(expression) is { } message)
            yield return message;
    }

    /// <summary>A value as expressions see it.</summary>
    public static object? Value(JsonNode? node) => node switch
    {
        JsonObject fields => fields.ToDictionary(f => f.Key, f => Value(f.Value)),
        JsonArray list => list.Select(Value).ToList(),
        JsonValue text when text.TryGetValue(out string? value) => value,
        JsonValue flag when flag.TryGetValue(out bool value) => value,
        JsonValue number => SchemaValidator.AsInteger(number) is { } integer ? integer : SchemaValidator.AsNumber(number),
        _ => null,
    };

    private static string? Uncompilable(string expression)
    {
        try
        {
            Compile(expression);
            return null;
        }
        catch (CelException e)
        {
            return e.Message;
        }
    }

    /// <summary>What a policy is told of a request: an AdmissionRequest without uid and objects.</summary>
    private static StructuralSchema ReadRequest()
    {
        var source = Yaml.Documents("""
            type: object
            properties:
              kind: &kind {type: object, properties: {group: {type: string}, version: {type: string}, kind: {type: string}}}
              resource: &resource {type: object, properties: {group: {type: string}, version: {type: string}, resource: {type: string}}}
              subResource: {type: string}
              requestKind: *kind
              requestResource: *resource
              requestSubResource: {type: string}
              name: {type: string}
              namespace: {type: string}
              operation: {type: string}
              userInfo:
                type: object
                properties:
                  username: {type: string}
                  uid: {type: string}
                  groups: {type: array, items: {type: string}}
                  extra: {type: object, additionalProperties: {type: array, items: {type: string}}}
              dryRun: {type: boolean}
              options: {type: object, x-kubernetes-preserve-unknown-fields: true}
            """).Single();
        return new SchemaReader().Read(source, "request");
    }
}
