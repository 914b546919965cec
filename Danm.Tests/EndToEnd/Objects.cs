using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>API objects of the tests, short to write.</summary>
public static class Objects
{
    public static JsonObject Network(string kind, string name, string specJson, string? ns = "default")
    {
        var metadata = new JsonObject { ["name"] = name };
        if (kind != "ClusterNetwork")
            metadata["namespace"] = ns;
        return new JsonObject
        {
            ["apiVersion"] = "danm.io/v1",
            ["kind"] = kind,
            ["metadata"] = metadata,
            ["spec"] = JsonNode.Parse(specJson),
        };
    }

    public static JsonObject Pod(string name, string? interfaces, string ns = "default", string key = "danm.io/interfaces", JsonObject? labels = null) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ns,
            ["labels"] = labels,
            ["annotations"] = interfaces is null ? null : new JsonObject { [key] = interfaces },
        },
        ["spec"] = new JsonObject
        {
            ["nodeName"] = "node-1",
            ["containers"] = new JsonArray(new JsonObject { ["name"] = "app", ["image"] = "registry.example/app:1" }),
        },
    };

    public static JsonObject Node(string name) => new() { ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = name } };
}
