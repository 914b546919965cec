using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>A DanmNet, TenantNetwork or ClusterNetwork: one spec, three kinds.</summary>
public sealed class Network : IApiObject
{
    /// <summary>danm.io/v1.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>Which of the three. List items may come without it, so whoever reads one sets it.</summary>
    public NetworkKind Kind { get; set; }

    /// <summary>Name, namespace, uid.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>What the network is.</summary>
    public NetworkSpec Spec { get; set => field = value ?? new(); } = new();

    /// <summary>This network as others refer to it.</summary>
    [JsonIgnore]
    public NetworkRef Ref => new(Kind, Kind.IsNamespaced() ? Metadata.Namespace : null, Metadata.Name ?? "");
}

/// <summary>The spec of the three network kinds. In every text member, empty counts as absent.</summary>
public sealed class NetworkSpec
{
    /// <summary>The name of VLAN and VxLAN interfaces on the host; for static types the name of the file in cniDir.</summary>
    [JsonPropertyName("NetworkID")]
    public string? NetworkId { get; set; }

    /// <summary>ipvlan (also when empty), macvlan, sriov, or the name of another CNI plugin.</summary>
    [JsonPropertyName("NetworkType")]
    public string? NetworkType { get; set; }

    /// <summary>ClusterNetwork: the namespaces that may use it; all, when absent or empty.</summary>
    [JsonPropertyName("AllowedTenants")]
    public List<string>? AllowedTenants { get; set; }

    /// <summary>Link, addresses and routes.</summary>
    [JsonPropertyName("Options")]
    public NetworkOptions Options { get; set => field = value ?? new(); } = new();
}
