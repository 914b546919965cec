using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;

namespace Danm.Webhook;

/// <summary>What the webhook has changed of a network, as JSON Patch (RFC 6902): these members and no others.</summary>
internal static class NetworkPatch
{
    private static readonly (string[] Path, Func<Network, JsonNode?> Value)[] Members =
    [
        (["spec", "NetworkType"], n => n.Spec.NetworkType),
        (["spec", "NetworkID"], n => n.Spec.NetworkId),
        (["spec", "Options", "host_device"], n => n.Spec.Options.HostDevice),
        (["spec", "Options", "device_pool"], n => n.Spec.Options.DevicePool),
        (["spec", "Options", "vlan"], n => n.Spec.Options.Vlan),
        (["spec", "Options", "vxlan"], n => n.Spec.Options.Vxlan),
        (["spec", "Options", "allocation_pool", "start"], n => n.Spec.Options.AllocationPool?.Start),
        (["spec", "Options", "allocation_pool", "end"], n => n.Spec.Options.AllocationPool?.End),
        (["spec", "Options", "allocation_pool_v6", "start"], n => n.Spec.Options.AllocationPoolV6?.Start),
        (["spec", "Options", "allocation_pool_v6", "end"], n => n.Spec.Options.AllocationPoolV6?.End),
        (["spec", "Options", "allocation_pool_v6", "cidr"], n => n.Spec.Options.AllocationPoolV6?.Cidr),
    ];

    /// <summary>The patch as UTF-8; null if nothing changed.</summary>
    /// <param name="stored">The object as the API server sent it, which may lack members on the way.</param>
    /// <param name="before">The same, read.</param>
    /// <param name="after">As it is to be.</param>
    public static byte[]? Of(JsonElement stored, Network before, Network after)
    {
        var operations = new JsonArray();
        var made = new HashSet<string>();
        foreach (var (path, value) in Members)
        {
            var wanted = value(after);
            if (JsonNode.DeepEquals(value(before), wanted))
                continue;
            var (at, pointer) = (stored, "");
            var isThere = true;
            foreach (var name in path[..^1])
            {
                pointer += $"/{name}";
                isThere = isThere && at.TryGetProperty(name, out at) && at.ValueKind == JsonValueKind.Object;
                if (!isThere && wanted is not null && made.Add(pointer))
                    operations.Add((JsonNode)Operation("add", pointer, new JsonObject()));
            }

            isThere = isThere && at.TryGetProperty(path[^1], out _);
            // A pool goes with its subnet.
            if (wanted is not null)
                operations.Add((JsonNode)Operation(isThere ? "replace" : "add", $"{pointer}/{path[^1]}", wanted));
            else if (isThere)
                operations.Add((JsonNode)new JsonObject { ["op"] = "remove", ["path"] = $"{pointer}/{path[^1]}" });
        }

        return operations.Count == 0 ? null : System.Text.Encoding.UTF8.GetBytes(operations.ToJsonString());
    }

    private static JsonObject Operation(string verb, string pointer, JsonNode value) => new() { ["op"] = verb, ["path"] = pointer, ["value"] = value };
}
