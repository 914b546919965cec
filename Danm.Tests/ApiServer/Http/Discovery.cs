using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Http;

/// <summary>/api and /apis, plain and aggregated.</summary>
public static class Discovery
{
    public static readonly JsonObject Version = new()
    {
        ["major"] = "1", ["minor"] = "32", ["gitVersion"] = "v1.32.0+embedded", ["gitCommit"] = "", ["gitTreeState"] = "clean",
        ["buildDate"] = "2026-01-01T00:00:00Z", ["goVersion"] = "", ["compiler"] = "dotnet", ["platform"] = "linux/amd64",
    };

    /// <summary>Null where the path is none of discovery's.</summary>
    public static (JsonNode Body, string ContentType)? Answer(string path, string accept, ResourceCatalog catalog)
    {
        var all = catalog.All.ToArray();
        switch (path.Trim('/').Split('/'))
        {
            case ["api" or "apis"] when accept.Contains("as=APIGroupDiscoveryList") && accept.Contains("v=v2,") | accept.EndsWith("v=v2") | accept.Contains("v=v2;"):
                var chosen = all.Where(t => (t.Group.Length == 0) == (path.Trim('/') == "api"));
                return (Aggregated(chosen), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
            case ["api"]:
                return (new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"), ["serverAddressByClientCIDRs"] = new JsonArray() }, "application/json");
            case ["apis"]:
                return (new JsonObject
                {
                    ["kind"] = "APIGroupList", ["apiVersion"] = "v1",
                    ["groups"] = new JsonArray([.. all.Where(t => t.Group.Length > 0).GroupBy(t => t.Group).Select(g => (JsonNode)Group(g))]),
                }, "application/json");
            case ["apis", var group] when all.Where(t => t.Group == group).ToArray() is { Length: > 0 } types:
                var answer = Group(types.GroupBy(t => t.Group).Single());
                answer["kind"] = "APIGroup";
                answer["apiVersion"] = "v1";
                return (answer, "application/json");
            case ["api", var version] when all.Any(t => t.Group.Length == 0 && t.Version == version):
                return (Resources(all.Where(t => t.Group.Length == 0 && t.Version == version)), "application/json");
            case ["apis", var group, var version] when all.Any(t => t.Group == group && t.Version == version):
                return (Resources(all.Where(t => t.Group == group && t.Version == version)), "application/json");
            default:
                return null;
        }
    }

    private static JsonObject Group(IGrouping<string, ResourceType> group)
    {
        var versions = group.Select(t => t.Version).Distinct()
            .Select(v => new JsonObject { ["groupVersion"] = $"{group.Key}/{v}", ["version"] = v }).ToArray();
        return new JsonObject
        {
            ["name"] = group.Key, ["versions"] = new JsonArray([.. versions]), ["preferredVersion"] = versions[0].DeepClone(),
        };
    }

    private static JsonObject Resources(IEnumerable<ResourceType> types)
    {
        var resources = new JsonArray();
        var version = "";
        foreach (var type in types)
        {
            version = type.ApiVersion;
            resources.Add(new JsonObject
            {
                ["name"] = type.Plural, ["singularName"] = type.Singular, ["namespaced"] = type.Namespaced, ["kind"] = type.Kind,
                ["verbs"] = Verbs(), ["shortNames"] = List(type.ShortNames), ["categories"] = List(type.Categories),
            });
            if (type.HasStatus)
                resources.Add(new JsonObject
                {
                    ["name"] = type.Plural + "/status", ["singularName"] = "", ["namespaced"] = type.Namespaced, ["kind"] = type.Kind,
                    ["verbs"] = new JsonArray("get", "patch", "update"),
                });
        }
        return new JsonObject { ["kind"] = "APIResourceList", ["apiVersion"] = "v1", ["groupVersion"] = version, ["resources"] = resources };
    }

    private static JsonObject Aggregated(IEnumerable<ResourceType> types) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = "apidiscovery.k8s.io/v2",
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. types.GroupBy(t => t.Group).Select(group => (JsonNode)new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = group.Key, ["creationTimestamp"] = null },
            ["versions"] = new JsonArray([.. group.GroupBy(t => t.Version).Select(v => (JsonNode)new JsonObject
            {
                ["version"] = v.Key, ["freshness"] = "Current", ["resources"] = new JsonArray([.. v.Select(AggregatedResource)]),
            })]),
        })]),
    };

    private static JsonNode AggregatedResource(ResourceType type)
    {
        var kind = new JsonObject { ["group"] = type.Group, ["version"] = type.Version, ["kind"] = type.Kind };
        var resource = new JsonObject
        {
            ["resource"] = type.Plural, ["responseKind"] = kind, ["scope"] = type.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = type.Singular, ["verbs"] = Verbs(), ["shortNames"] = List(type.ShortNames), ["categories"] = List(type.Categories),
        };
        if (type.HasStatus)
            resource["subresources"] = new JsonArray(new JsonObject
            {
                ["subresource"] = "status", ["responseKind"] = kind.DeepClone(), ["verbs"] = new JsonArray("get", "patch", "update"),
            });
        return resource;
    }

    private static JsonArray Verbs() => List(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);

    private static JsonArray List(string[] items) => new([.. items.Select(i => (JsonNode)i)]);
}
