using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>JSON of the objects that only webhook and controllers meet, apart from <see cref="ApiJson"/> to keep that small.</summary>
[JsonSourceGenerationOptions(
    MaxDepth = 64,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TenantConfig))]
[JsonSerializable(typeof(VNIAllocation))]
[JsonSerializable(typeof(ObjectList<TenantConfig>))]
[JsonSerializable(typeof(ObjectList<VNIAllocation>))]
public sealed partial class TenantJson : JsonSerializerContext;
