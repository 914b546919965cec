using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Patches;

/// <summary>
/// Strategic merge for built-in types: a merge patch whose lists with a merge key are merged by that key.
/// Directives: <c>$patch: delete|replace</c>, <c>$setElementOrder</c> (order is kept as it is),
/// <c>$deleteFromPrimitiveList</c>; <c>$retainKeys</c> is refused.
/// </summary>
public static class StrategicMergePatch
{
    private static readonly Dictionary<string, string> MergeKeys = new()
    {
        ["containers"] = "name", ["initContainers"] = "name", ["ephemeralContainers"] = "name", ["volumes"] = "name", ["env"] = "name",
        ["volumeMounts"] = "mountPath", ["imagePullSecrets"] = "name", ["hostAliases"] = "ip", ["conditions"] = "type", ["ownerReferences"] = "uid",
        ["addresses"] = "type", ["podIPs"] = "ip", ["hostIPs"] = "ip", ["taints"] = "key", ["secrets"] = "name",
        ["webhooks"] = "name", ["matchConditions"] = "name", ["variables"] = "name",
    };

    public static JsonObject Apply(JsonObject target, JsonObject patch) => Apply(target, patch, target["kind"].String() ?? "");

    private static JsonObject Apply(JsonObject target, JsonObject patch, string kind)
    {
        if (patch["$patch"].String() is { } directive)
            return directive == "replace" ? Without(patch) : throw StatusException.BadRequest($"$patch: {directive} cannot stand here");
        foreach (var (name, value) in patch)
        {
            if (name.StartsWith("$setElementOrder/", StringComparison.Ordinal))
                continue;
            if (name.StartsWith("$deleteFromPrimitiveList/", StringComparison.Ordinal))
                RemoveItems(target[name[(name.IndexOf('/') + 1)..]] as JsonArray, (JsonArray)value!);
            else if (name.StartsWith('$'))
                throw StatusException.NotImplemented($"the directive {name}");
            else if (value is null)
                target.Remove(name);
            else if (value is JsonObject changes)
                target[name] = target[name] is JsonObject child ? Detached(target, name, Apply(child, changes, kind)) : MergePatch.Apply(null, Without(changes));
            else if (value is JsonArray list && MergeKey(name, kind) is { } key && target[name] is JsonArray current && list.All(i => i is JsonObject))
                MergeList(current, list, key, name, kind);
            else
                target[name] = value.DeepClone();
        }
        return target;
    }

    /// <summary>Of all that has ports, only a Service's and a container's are merged.</summary>
    private static string? MergeKey(string list, string kind) => (list, kind) switch
    {
        ("ports", "Service") => "port",
        ("ports", "Pod" or "Deployment" or "DaemonSet") => "containerPort",
        _ => MergeKeys.GetValueOrDefault(list),
    };

    private static JsonNode Detached(JsonObject parent, string name, JsonObject child)
    {
        parent.Remove(name);
        return child;
    }

    private static void MergeList(JsonArray current, JsonArray patch, string key, string name, string kind)
    {
        if (patch.Any(i => i.At("$patch").String() == "replace"))
            current.Clear();
        foreach (var item in patch.Cast<JsonObject>().Where(i => i["$patch"].String() != "replace"))
        {
            var id = item[key] ?? throw StatusException.BadRequest($"map: {name} does not contain declared merge key: {key}");
            var index = current.ToList().FindIndex(c => JsonNode.DeepEquals(c.At(key), id));
            if (item["$patch"].String() == "delete")
            {
                if (index >= 0)
                    current.RemoveAt(index);
            }
            else if (index >= 0)
            {
                var merged = Apply((JsonObject)current[index]!.DeepClone(), item, kind);
                current[index] = merged;
            }
            else
                current.Add(item.DeepClone());
        }
    }

    private static void RemoveItems(JsonArray? list, JsonArray items)
    {
        for (var i = (list?.Count ?? 0) - 1; i >= 0; i--)
            if (items.Any(x => JsonNode.DeepEquals(x, list![i])))
                list!.RemoveAt(i);
    }

    private static JsonObject Without(JsonObject patch) =>
        new(patch.Where(f => !f.Key.StartsWith('$')).Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())));
}
