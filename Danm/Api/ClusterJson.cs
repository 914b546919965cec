using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>JSON of what only long-lived programs and operator commands read, apart from <see cref="ApiJson"/> so that a CNI call does not carry it.</summary>
[JsonSourceGenerationOptions(
    MaxDepth = 64,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(ObjectList<Node>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(CoreEventCount))]
[JsonSerializable(typeof(MetadataPatch))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(JsonDocument))]
[JsonSerializable(typeof(ServerVersion))]
public sealed partial class ClusterJson : JsonSerializerContext;
