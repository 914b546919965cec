using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>
/// JSON of the objects that a CNI call meets. Absent and unknown members are fine; a wrong type or a number out of range
/// is a <see cref="JsonException"/>. Bounding the size of what is read is the caller's business.
/// </summary>
[JsonSourceGenerationOptions(
    MaxDepth = 64,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Pod))]
[JsonSerializable(typeof(Network))]
[JsonSerializable(typeof(DanmEp))]
[JsonSerializable(typeof(IPAllocation))]
[JsonSerializable(typeof(CoreEvent))]
[JsonSerializable(typeof(Status))]
[JsonSerializable(typeof(DeleteOptions))]
[JsonSerializable(typeof(DanmEpAddresses))]
[JsonSerializable(typeof(PartialObject))]
[JsonSerializable(typeof(WatchEvent))]
[JsonSerializable(typeof(NetworkAttachmentDefinition))]
[JsonSerializable(typeof(ObjectList<JsonElement>))]
[JsonSerializable(typeof(ObjectList<Pod>))]
[JsonSerializable(typeof(ObjectList<Network>))]
[JsonSerializable(typeof(ObjectList<DanmEp>))]
[JsonSerializable(typeof(ObjectList<IPAllocation>))]
[JsonSerializable(typeof(ObjectList<NamedObject>))]
public sealed partial class ApiJson : JsonSerializerContext;
