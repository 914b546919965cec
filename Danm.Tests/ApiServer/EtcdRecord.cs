using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>
/// What a real server writes into etcd for a custom resource as one client created it: the object's JSON without its resource version,
/// with the managed fields that the server adds (Kubernetes API conventions, "managedFields"; labels and annotations by key, an atomic
/// spec as a whole), ended by a line feed, under a key of group, resource, namespace and name.
/// </summary>
public sealed record EtcdRecord(string Key, JsonObject Value)
{
    /// <summary>Key and value in bytes. etcd's own bookkeeping comes on top of it.</summary>
    public int Bytes => Key.Length + Json.ToUtf8(Value).Length + 1;

    /// <param name="stored">As the embedded server has it.</param>
    /// <param name="plural">The resource's name in its path.</param>
    /// <param name="manager">Who made it, as its User-Agent begins.</param>
    public static EtcdRecord Of(JsonObject stored, string plural, string manager)
    {
        var value = (JsonObject)stored.DeepClone();
        var metadata = value.Child("metadata");
        metadata.Remove("resourceVersion");
        var apiVersion = value["apiVersion"].String()!;
        metadata["managedFields"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = apiVersion,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = new JsonObject
            {
                ["f:metadata"] = new JsonObject(((string[])["annotations", "labels"]).Where(metadata.ContainsKey)
                    .Select(name => KeyValuePair.Create($"f:{name}", (JsonNode?)Keys((JsonObject)metadata[name]!)))),
                ["f:spec"] = new JsonObject(),
            },
            ["manager"] = manager,
            ["operation"] = "Update",
            ["time"] = metadata["creationTimestamp"]!.DeepClone(),
        });
        var ns = metadata["namespace"].String() is { } name ? $"{name}/" : "";
        return new EtcdRecord($"/registry/{apiVersion.Split('/')[0]}/{plural}/{ns}{metadata["name"].String()}", value);
    }

    private static JsonObject Keys(JsonObject map) =>
        new([KeyValuePair.Create(".", (JsonNode?)new JsonObject()), .. map.Select(entry => KeyValuePair.Create($"f:{entry.Key}", (JsonNode?)new JsonObject()))]);
}
