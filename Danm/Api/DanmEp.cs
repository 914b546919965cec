using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>One interface of one Pod. Carries the Pod's labels, so that Services can select it.</summary>
public sealed class DanmEp : IApiObject
{
    /// <summary>danm.io/v1.</summary>
    public string? ApiVersion { get; set; } = ApiNames.GroupVersion;

    /// <summary>DanmEp.</summary>
    public string? Kind { get; set; } = ApiNames.DanmEp;

    /// <summary>The name is the EndpointID; the namespace is the Pod's.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Whose interface, on which network.</summary>
    public DanmEpSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary><c>spec</c> of a <see cref="DanmEp"/>. Members without null are the ones that the original always wrote.</summary>
public sealed class DanmEpSpec
{
    /// <summary>metadata.name of the network, not its NetworkID.</summary>
    [JsonPropertyName("NetworkName")]
    public string NetworkName { get; set => field = value ?? ""; } = "";

    /// <summary>As spelled in the network.</summary>
    [JsonPropertyName("NetworkType")]
    public string NetworkType { get; set => field = value ?? ""; } = "";

    /// <summary>metadata.name of this object.</summary>
    [JsonPropertyName("EndpointID")]
    public string EndpointId { get; set => field = value ?? ""; } = "";

    /// <summary>The interface as seen inside the Pod.</summary>
    [JsonPropertyName("Interface")]
    public DanmEpInterface Interface { get; set => field = value ?? new(); } = new();

    /// <summary>The host's own name, which need not be the node's.</summary>
    [JsonPropertyName("Host")]
    public string? Host { get; set; }

    /// <summary>The Kubernetes node. Not known to the original.</summary>
    [JsonPropertyName("nodeName")]
    public string? NodeName { get; set; }

    /// <summary>metadata.name of the Pod.</summary>
    [JsonPropertyName("Pod")]
    public string Pod { get; set => field = value ?? ""; } = "";

    /// <summary>metadata.uid of the Pod.</summary>
    [JsonPropertyName("PodUID")]
    public string? PodUid { get; set; }

    /// <summary>The sandbox: K8S_POD_INFRA_CONTAINER_ID, else CNI_CONTAINERID.</summary>
    [JsonPropertyName("CID")]
    public string? ContainerId { get; set; }

    /// <summary>CNI_NETNS.</summary>
    [JsonPropertyName("netns")]
    public string? Netns { get; set; }

    /// <summary>The network's kind; empty means DanmNet, see <see cref="NetworkKinds.TryParse"/>.</summary>
    [JsonPropertyName("apiType")]
    public string ApiType { get; set => field = value ?? ""; } = "";
}

/// <summary>
/// <c>spec.Interface</c>. Addresses are free text: an address with prefix length, without one, <c>none</c>, <c>dynamic</c> or empty.
/// </summary>
public sealed class DanmEpInterface
{
    /// <summary>The name inside the Pod.</summary>
    [JsonPropertyName("Name")]
    public string Name { get; set => field = value ?? ""; } = "";

    /// <summary>IPv4.</summary>
    [JsonPropertyName("Address")]
    public string Address { get; set => field = value ?? ""; } = "";

    /// <summary>IPv6.</summary>
    [JsonPropertyName("AddressIPv6")]
    public string AddressIPv6 { get; set => field = value ?? ""; } = "";

    /// <summary>The hardware address of an SR-IOV function; the original left it empty otherwise.</summary>
    [JsonPropertyName("MacAddress")]
    public string MacAddress { get; set => field = value ?? ""; } = "";

    /// <summary>IPv4 policy routes asked for: destination to gateway.</summary>
    [JsonPropertyName("proutes")]
    public Dictionary<string, string>? PolicyRoutes { get; set; }

    /// <summary>IPv6 policy routes asked for: destination to gateway.</summary>
    [JsonPropertyName("proutes6")]
    public Dictionary<string, string>? PolicyRoutes6 { get; set; }

    /// <summary>The PCI address of the Pod's device, where there is one.</summary>
    [JsonPropertyName("DeviceID")]
    public string? DeviceId { get; set; }
}
