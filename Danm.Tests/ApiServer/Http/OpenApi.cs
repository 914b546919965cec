using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Http;

/// <summary>OpenAPI v3, one document a group version: what <c>kubectl explain</c> and the validation of <c>apply</c> read.</summary>
public static class OpenApi
{
    public static JsonObject? Answer(string path, ResourceCatalog catalog)
    {
        var place = path["/openapi/v3".Length..].Trim('/');
        if (place.Length == 0)
            return new JsonObject
            {
                ["paths"] = new JsonObject(catalog.All.Select(Place).Distinct().Select(p =>
                    KeyValuePair.Create(p, (JsonNode?)new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{p}" }))),
            };
        var types = catalog.All.Where(t => Place(t) == place).ToArray();
        if (types.Length == 0)
            return null;
        var paths = new JsonObject();
        var schemas = new JsonObject { ["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] = ObjectMeta() };
        foreach (var type in types)
        {
            schemas[SchemaName(type)] = Schema(type);
            var root = $"/{place}/{(type.Namespaced ? "namespaces/{namespace}/" : "")}{type.Plural}";
            paths[root] = new JsonObject { ["get"] = Operation(type, "list"), ["post"] = Operation(type, "post") };
            paths[root + "/{name}"] = new JsonObject
            {
                ["get"] = Operation(type, "get"), ["put"] = Operation(type, "put"), ["patch"] = Operation(type, "patch"), ["delete"] = Operation(type, "delete"),
            };
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = Discovery.Version["gitVersion"]!.DeepClone() },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static string Place(ResourceType type) => type.Group.Length == 0 ? $"api/{type.Version}" : $"apis/{type.Group}/{type.Version}";

    private static string SchemaName(ResourceType type) =>
        string.Join('.', (type.Group.Length == 0 ? "io.k8s.api.core" : type.Group).Split('.').Append(type.Version).Append(type.Kind));

    private static JsonObject Kind(ResourceType type) => new() { ["group"] = type.Group, ["version"] = type.Version, ["kind"] = type.Kind };

    private static JsonObject Schema(ResourceType type)
    {
        var schema = (JsonObject)type.Schema.Source.DeepClone();
        var properties = schema.Child("properties");
        properties["apiVersion"] ??= Text("APIVersion defines the versioned schema of this representation of an object.");
        properties["kind"] ??= Text("Kind is a string value representing the REST resource this object represents.");
        properties["metadata"] = new JsonObject
        {
            ["description"] = "Standard object's metadata.",
            ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }),
            ["default"] = new JsonObject(),
        };
        schema["x-kubernetes-group-version-kind"] = new JsonArray(Kind(type));
        return schema;
    }

    private static JsonObject Operation(ResourceType type, string action) => new()
    {
        ["operationId"] = $"{action}{type.Version}{type.Kind}",
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = Kind(type),
        ["parameters"] = action is "post" or "put" or "patch"
            ? new JsonArray([.. new[] { "dryRun", "fieldManager", "fieldValidation" }.Select(p => (JsonNode)new JsonObject
            {
                ["name"] = p, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
            })])
            : [],
        ["responses"] = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "OK",
                ["content"] = new JsonObject
                {
                    ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{SchemaName(type)}" } },
                },
            },
        },
    };

    private static JsonObject ObjectMeta() => new()
    {
        ["type"] = "object",
        ["description"] = "ObjectMeta is metadata that all persisted resources must have, which includes all objects users must create.",
        ["properties"] = new JsonObject
        {
            ["name"] = Text("Name must be unique within a namespace."),
            ["generateName"] = Text("GenerateName is an optional prefix, used by the server, to generate a unique name."),
            ["namespace"] = Text("Namespace defines the space within which each name must be unique."),
            ["uid"] = Text("UID is the unique in time and space value for this object."),
            ["resourceVersion"] = Text("An opaque value that represents the internal version of this object."),
            ["creationTimestamp"] = Text("When this object was created."),
            ["labels"] = Map("Map of string keys and values that can be used to organize and categorize objects."),
            ["annotations"] = Map("Annotations is an unstructured key value map stored with a resource."),
        },
    };

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    private static JsonObject Map(string description) => new()
    {
        ["type"] = "object", ["description"] = description, ["additionalProperties"] = new JsonObject { ["type"] = "string", ["default"] = "" },
    };
}
