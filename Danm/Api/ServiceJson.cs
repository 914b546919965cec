using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>JSON of what only the svcwatcher and its commands meet, apart from <see cref="ApiJson"/> to keep that small.</summary>
[JsonSourceGenerationOptions(
    MaxDepth = 64,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(EndpointSlice))]
[JsonSerializable(typeof(Endpoints))]
[JsonSerializable(typeof(OldLeaderRecord))]
[JsonSerializable(typeof(BackingPod))]
[JsonSerializable(typeof(PodInterfaceRecord))]
[JsonSerializable(typeof(ObjectList<EndpointSlice>))]
[JsonSerializable(typeof(ObjectList<PartialObject>))]
[JsonSerializable(typeof(ObjectList<BackingPod>))]
[JsonSerializable(typeof(ObjectList<PodInterfaceRecord>))]
public sealed partial class ServiceJson : JsonSerializerContext;
