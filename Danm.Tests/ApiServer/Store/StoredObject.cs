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

    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoLabels;

    /// <summary>Values of the resource's selectable fields, in their order.</summary>
    public string[] Fields { get; init; } = [];

    public byte[] Utf8 { get; init; } = [];

    private static readonly Dictionary<string, string> NoLabels = [];

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
                ? labels.ToDictionary(l => l.Key, l => l.Value.String()!)
                : NoLabels,
            Fields = type.SelectableFields.Length == 0 ? [] : [.. type.SelectableFields.Select(f => Field(body, f))],
            Utf8 = Json.ToUtf8(body),
        };
    }

    private static string Field(JsonObject body, string path)
    {
        var value = body.At(path.Split('.'));
        return value.String() ?? value?.ToJsonString() ?? "";
    }
}
