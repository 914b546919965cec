using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Security;

/// <summary>Role-based access control: what no rule of a role that is bound to the user allows is forbidden.</summary>
public sealed class Authorizer(ResourceApi api)
{
    private const string Group = "rbac.authorization.k8s.io";

    private readonly ConcurrentDictionary<AccessQuestion, bool> asked = new();

    /// <summary>What requests took so far, each once, whether it was allowed or not; not what users asked about themselves, nor what needs no role.</summary>
    public IReadOnlyCollection<AccessQuestion> Asked => [.. asked.Keys];

    /// <exception cref="StatusException">403.</exception>
    public void Require(UserInfo user, RequestPath path, string verb) =>
        Require(user, path.Namespace, path.Group, path.Subresource is null ? path.Plural : $"{path.Plural}/{path.Subresource}", path.Name, verb);

    /// <param name="resource">The plural, with a subresource behind a slash.</param>
    /// <exception cref="StatusException">403.</exception>
    public void Require(UserInfo user, string? ns, string group, string resource, string? name, string verb)
    {
        if (Ask(user, ns, group, resource, name, verb))
            return;
        var place = ns is null ? "at the cluster scope" : $"in the namespace \"{ns}\"";
        var plural = resource.Split('/')[0];
        var what = group.Length == 0 ? plural : $"{plural}.{group}";
        throw StatusException.Forbidden(
            $"{what}{(name is null ? "" : $" \"{name}\"")} is forbidden: User \"{user.Name}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}");
    }

    /// <summary>Whether a rule allows what a request takes.</summary>
    public bool Ask(UserInfo user, string? ns, string group, string resource, string? name, string verb)
    {
        if (!user.MayAll)
            asked[new(user.Name, ns, group, resource, name, verb)] = true;
        return May(user, ns, group, resource, name, verb);
    }

    /// <summary>Whether a rule allows it.</summary>
    public bool May(AccessQuestion question) =>
        May(new UserInfo(question.User), question.Namespace, question.Group, question.Resource, question.Name, question.Verb);

    /// <summary>Whether a rule allows it.</summary>
    public bool May(UserInfo user, string? ns, string group, string resource, string? name, string verb) =>
        user.MayAll || RulesFor(user, ns).Any(rule => Allows(rule, group, resource, name, verb));

    /// <summary>The rules of all roles that are bound to the user.</summary>
    public IEnumerable<JsonNode?> RulesFor(UserInfo user, string? ns)
    {
        foreach (var binding in All("clusterrolebindings", null).Where(b => IsBound(b, user)))
            foreach (var rule in RulesOf(binding, null))
                yield return rule;
        if (string.IsNullOrEmpty(ns))
            yield break;
        foreach (var binding in All("rolebindings", ns).Where(b => IsBound(b, user)))
            foreach (var rule in RulesOf(binding, ns))
                yield return rule;
    }

    private IEnumerable<JsonObject> All(string plural, string? ns) =>
        ObjectTable.Range(api.Store.Table(api.Catalog.Find(Group, "v1", plural)!).Objects, ns, null).Select(o => o.Parse());

    private JsonArray RulesOf(JsonObject binding, string? ns)
    {
        var isClusterRole = binding.At("roleRef", "kind").String() == "ClusterRole";
        var roles = api.Store.Table(api.Catalog.Find(Group, "v1", isClusterRole ? "clusterroles" : "roles")!);
        return roles.Find(isClusterRole ? null : ns, binding.At("roleRef", "name").String()!)?.Parse()["rules"] as JsonArray ?? [];
    }

    private static bool IsBound(JsonObject binding, UserInfo user) => (binding["subjects"] as JsonArray ?? []).Any(s => s.At("kind").String() switch
    {
        "User" => s.At("name").String() == user.Name,
        "ServiceAccount" => user.Name == $"{UserGroups.ServiceAccountPrefix}{s.At("namespace").String()}:{s.At("name").String()}",
        "Group" => user.Groups.Contains(s.At("name").String()),
        _ => false,
    });

    private static bool Allows(JsonNode? rule, string group, string resource, string? name, string verb)
    {
        return Has("verbs", verb) && Has("apiGroups", group) && Has("resources", resource)
            && (rule.At("resourceNames") is not JsonArray { Count: > 0 } names || (name is not null && names.Any(n => n.String() == name)));

        bool Has(string list, string value) => (rule.At(list) as JsonArray ?? []).Any(v => v.String() is { } text && (text == "*" || text == value));
    }
}
