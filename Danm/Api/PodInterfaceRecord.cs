using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>The members of a <see cref="DanmEp"/> that decide which Services lead to it. A cluster has many: the others are not read.</summary>
public sealed class PodInterfaceRecord : IApiObject
{
    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = (value ?? new()).ForSelection(); } = new();

    /// <summary>Whose interface, on which network, with which addresses.</summary>
    public PodInterfaceSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary><c>spec</c> of a <see cref="PodInterfaceRecord"/>; see <see cref="DanmEpSpec"/>.</summary>
public sealed class PodInterfaceSpec
{
    /// <summary>metadata.name of the network.</summary>
    [JsonPropertyName("NetworkName")]
    public string NetworkName { get; set => field = SharedText.Of(value) ?? ""; } = "";

    /// <summary>The network's kind; empty means DanmNet.</summary>
    [JsonPropertyName("apiType")]
    public string ApiType { get; set => field = SharedText.Of(value) ?? ""; } = "";

    /// <summary>metadata.name of the Pod.</summary>
    [JsonPropertyName("Pod")]
    public string Pod { get; set => field = value ?? ""; } = "";

    /// <summary>metadata.uid of the Pod; the original did not always write it.</summary>
    [JsonPropertyName("PodUID")]
    public string? PodUid { get; set => field = SharedText.Of(value); }

    /// <summary>Name and addresses.</summary>
    [JsonPropertyName("Interface")]
    public PodInterfaceAddresses Interface { get; set => field = value ?? new(); } = new();
}

/// <summary>Part of a <see cref="PodInterfaceSpec"/>; see <see cref="DanmEpInterface"/>.</summary>
public sealed class PodInterfaceAddresses
{
    /// <summary>The name inside the Pod.</summary>
    [JsonPropertyName("Name")]
    public string Name { get; set => field = SharedText.Of(value) ?? ""; } = "";

    /// <summary>IPv4, free text.</summary>
    [JsonPropertyName("Address")]
    public string Address { get; set => field = value ?? ""; } = "";

    /// <summary>IPv6, free text.</summary>
    [JsonPropertyName("AddressIPv6")]
    public string AddressIPv6 { get; set => field = value ?? ""; } = "";
}
