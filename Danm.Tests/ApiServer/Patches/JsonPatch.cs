using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Patches;

/// <summary>RFC 6902, by hand: Microsoft's library patches typed objects and needs reflection to reach a JsonNode.</summary>
public static class JsonPatch
{
    private const int OperationLimit = 10_000;

    public static JsonObject Apply(JsonObject target, JsonArray patch)
    {
        if (patch.Count > OperationLimit)
            throw new StatusException(413, "RequestEntityTooLarge", $"The allowed maximum operations in a JSON patch is {OperationLimit}, got {patch.Count}");
        JsonNode? root = target;
        foreach (var operation in patch)
            root = Apply(root, operation as JsonObject ?? throw StatusException.BadRequest("an operation of a JSON patch must be an object"));
        return root as JsonObject ?? throw StatusException.BadRequest("the patch leaves no object");
    }

    private static JsonNode? Apply(JsonNode? root, JsonObject operation)
    {
        var path = operation["path"].String() ?? throw StatusException.BadRequest("an operation of a JSON patch needs a path");
        switch (operation["op"].String())
        {
            case "add":
                return Add(root, path, operation["value"]?.DeepClone());
            case "remove":
                Remove(root, path);
                return root;
            case "replace":
                if (path.Length == 0)
                    return operation["value"]?.DeepClone();
                Remove(root, path);
                return Add(root, path, operation["value"]?.DeepClone());
            case "move":
                var moved = Find(root, From(operation))?.DeepClone();
                Remove(root, From(operation));
                return Add(root, path, moved);
            case "copy":
                return Add(root, path, Find(root, From(operation))?.DeepClone());
            case "test":
                return JsonNode.DeepEquals(Find(root, path), operation["value"]) ? root : throw Refused($"testing value {path} failed: test failed");
            default:
                throw StatusException.BadRequest($"unexpected JSON patch operation {operation["op"]?.ToJsonString()}");
        }
    }

    private static string From(JsonObject operation) => operation["from"].String() ?? throw StatusException.BadRequest("move and copy need from");

    private static JsonNode? Add(JsonNode? root, string path, JsonNode? value)
    {
        if (path.Length == 0)
            return value;
        var (parent, key) = Split(root, path);
        if (parent is JsonObject fields)
            fields[key] = value;
        else if (parent is JsonArray list)
            list.Insert(key == "-" ? list.Count : Index(key, list.Count), value);
        else
            throw Missing(path);
        return root;
    }

    private static void Remove(JsonNode? root, string path)
    {
        var (parent, key) = Split(root, path);
        if (parent is JsonArray list)
            list.RemoveAt(Index(key, list.Count - 1));
        else if (parent is not JsonObject fields || !fields.Remove(key))
            throw Missing(path);
    }

    private static JsonNode? Find(JsonNode? root, string path)
    {
        if (path.Length == 0)
            return root;
        var (parent, key) = Split(root, path);
        return parent switch
        {
            JsonObject fields when fields.TryGetPropertyValue(key, out var value) => value,
            JsonArray list => list[Index(key, list.Count - 1)],
            _ => throw Missing(path),
        };
    }

    private static (JsonNode? Parent, string Key) Split(JsonNode? root, string path)
    {
        if (path.Length == 0 || path[0] != '/')
            throw StatusException.BadRequest($"invalid JSON pointer {path}");
        var parts = path[1..].Split('/').Select(p => p.Replace("~1", "/").Replace("~0", "~")).ToArray();
        foreach (var part in parts[..^1])
            root = root switch
            {
                JsonObject fields when fields[part] is { } next => next,
                JsonArray list => list[Index(part, list.Count - 1)],
                _ => throw Missing(path),
            };
        return (root, parts[^1]);
    }

    private static int Index(string key, int maximum) => int.TryParse(key, System.Globalization.NumberStyles.None, null, out var index) && index <= maximum
        ? index
        : throw Refused($"invalid index {key}");

    private static StatusException Missing(string path) => Refused($"operation does not apply: doc is missing path: {path}: missing value");

    private static StatusException Refused(string why) => new(422, "Invalid", $"the server rejected our request due to an error in our request: {why}");
}
