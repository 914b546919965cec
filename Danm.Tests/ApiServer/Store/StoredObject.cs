using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Store;

/// <summary>One version of one object: its JSON text as it goes over the wire, and what selectors need of it.</summary>
public sealed class StoredObject
{
    /// <summary><c>namespace/name</c>, or the name alone: the order of lists, as etcd has it.</summary>
    public required string Key { get; init; }

    public string? Namespace { get; init; }

    public string Name { get; init; } = "";

    public string Uid { get; init; } = "";

    public long ResourceVersion { get; init; }

    /// <summary>A handful, which is looked through sooner than a dictionary.</summary>
    public KeyValuePair<string, string>[] Labels { get; init; } = [];

    /// <summary>Values of the resource's selectable fields, in their order.</summary>
    public string[] Fields { get; init; } = [];

    /// <summary>The uids of its owners.</summary>
    public string[] Owners { get; init; } = [];

    public byte[] Utf8 { get; init; } = [];

    // Like a real server's watch cache, a version that was shown once is not read and written anew for everybody who asks.
    private volatile byte[]? partial;
    private volatile Tuple<Column[], TableRow>? row;

    /// <summary>The object as a <c>PartialObjectMetadata</c>.</summary>
    public byte[] Partial => partial ??= Json.ToUtf8(new JsonObject
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = Parse()["metadata"]!.DeepClone(),
    });

    /// <summary>The object's row of a table.</summary>
    public TableRow Row(Column[] columns)
    {
        if (row is not { } made || made.Item1 != columns)
            row = made = Tuple.Create(columns, new TableRow(Parse(), columns));
        return made.Item2;
    }

    public JsonObject Parse() => (JsonObject)JsonNode.Parse(Utf8)!;

    public static string KeyOf(string? ns, string name) => ns is null ? name : $"{ns}/{name}";

    /// <summary>Takes over the object, with the resource version written into it.</summary>
    public static StoredObject From(JsonObject body, ResourceType type, long resourceVersion)
    {
        var metadata = body.Child("metadata");
        metadata["resourceVersion"] = resourceVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var ns = metadata["namespace"].String();
        var name = metadata["name"].String()!;
        return new StoredObject
        {
            Key = KeyOf(ns, name),
            Namespace = ns,
            Name = name,
            Uid = metadata["uid"].String()!,
            ResourceVersion = resourceVersion,
            Labels = metadata["labels"] is JsonObject { Count: > 0 } labels
                ? [.. labels.Select(l => KeyValuePair.Create(l.Key, l.Value.String()!))]
                : [],
            Fields = type.SelectableFields.Length == 0 ? [] : [.. type.SelectableFields.Select(f => Field(body, f))],
            Owners = metadata["ownerReferences"] is JsonArray { Count: > 0 } owners ? [.. owners.Select(o => o.At("uid").String()).OfType<string>()] : [],
            Utf8 = Json.ToUtf8(body),
        };
    }

    private static string Field(JsonObject body, string path)
    {
        var value = body.At(path.Split('.'));
        return value.String() ?? value?.ToJsonString() ?? "";
    }
}
