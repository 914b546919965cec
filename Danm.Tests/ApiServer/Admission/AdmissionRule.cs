using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>A <c>RuleWithOperations</c>: <c>*</c> stands for anything, but for resources only where there is no subresource.</summary>
public sealed record AdmissionRule(string[] Operations, string[] ApiGroups, string[] ApiVersions, string[] Resources, string Scope)
{
    public static AdmissionRule Read(JsonNode rule) => new(
        Strings(rule["operations"]), Strings(rule["apiGroups"]), Strings(rule["apiVersions"]), Strings(rule["resources"]), rule["scope"].String() ?? "*");

    public bool Matches(AdmissionAttributes request) =>
        Has(Operations, request.Operation) && Has(ApiGroups, request.Type.Group) && Has(ApiVersions, request.Type.Version)
        && Resources.Any(r => Names(r, request)) && InScope(request);

    private bool InScope(AdmissionAttributes request) => Scope switch
    {
        "Namespaced" => request.Type.Namespaced,
        "Cluster" => !request.Type.Namespaced,
        _ => true,
    };

    private static bool Names(string rule, AdmissionAttributes request)
    {
        var (resource, subresource) = rule.Split('/', 2) is [var r, var s] ? (r, s) : (rule, "");
        return (resource == "*" || resource == request.Type.Plural) && (subresource == "*" || subresource == (request.Subresource ?? ""));
    }

    private static bool Has(string[] list, string value) => list.Contains("*") || list.Contains(value);

    internal static string[] Strings(JsonNode? list) => list is JsonArray array ? [.. array.Select(v => v.String()!)] : [];
}
