using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary><c>spec.Options</c> of a network. In every text member, empty counts as absent.</summary>
public sealed class NetworkOptions
{
    /// <summary>The host's interface that the network is built on.</summary>
    [JsonPropertyName("host_device")]
    public string? HostDevice { get; set; }

    /// <summary>The extended resource that a Pod's devices come from, such as <c>vendor.io/pool</c>.</summary>
    [JsonPropertyName("device_pool")]
    public string? DevicePool { get; set; }

    /// <summary>VxLAN network identifier, 1 to 16777214; null or 0: no VxLAN.</summary>
    [JsonPropertyName("vxlan")]
    public int? Vxlan { get; set; }

    /// <summary>VLAN identifier, 1 to 4094; null or 0: no VLAN.</summary>
    [JsonPropertyName("vlan")]
    public int? Vlan { get; set; }

    /// <summary>How interface names in Pods begin.</summary>
    [JsonPropertyName("container_prefix")]
    public string? ContainerPrefix { get; set; }

    /// <summary>The routing table for policy routes; null or 0: none.</summary>
    [JsonPropertyName("rt_tables")]
    public uint? RoutingTable { get; set; }

    /// <summary>MTU in bytes; null or 0: the parent's. Not known to the original.</summary>
    [JsonPropertyName("mtu")]
    public int? Mtu { get; set; }

    /// <summary>The IPv4 subnet, <c>10.0.0.0/24</c>.</summary>
    [JsonPropertyName("cidr")]
    public string? Cidr { get; set; }

    /// <summary>IPv4 routes for the main table: destination to gateway.</summary>
    [JsonPropertyName("routes")]
    public Dictionary<string, string>? Routes { get; set; }

    /// <summary>The part of <see cref="Cidr"/> that dynamic addresses come from.</summary>
    [JsonPropertyName("allocation_pool")]
    public AllocationPool? AllocationPool { get; set; }

    /// <summary>The original's IPv4 bitmap: kept, never written by us.</summary>
    [JsonPropertyName("alloc")]
    public string? Alloc { get; set; }

    /// <summary>The IPv6 subnet.</summary>
    [JsonPropertyName("net6")]
    public string? Net6 { get; set; }

    /// <summary>IPv6 routes for the main table: destination to gateway.</summary>
    [JsonPropertyName("routes6")]
    public Dictionary<string, string>? Routes6 { get; set; }

    /// <summary>The part of <see cref="Net6"/> that dynamic addresses come from.</summary>
    [JsonPropertyName("allocation_pool_v6")]
    public AllocationPoolV6? AllocationPoolV6 { get; set; }

    /// <summary>The original's IPv6 bitmap: kept, never written by us.</summary>
    [JsonPropertyName("alloc6")]
    public string? Alloc6 { get; set; }
}

/// <summary>An inclusive range of addresses. The original left members empty or out, each on its own.</summary>
public class AllocationPool
{
    /// <summary>The first address given out.</summary>
    [JsonPropertyName("start")]
    public string? Start { get; set; }

    /// <summary>The last address given out.</summary>
    [JsonPropertyName("end")]
    public string? End { get; set; }

    /// <summary>The original's note of the last address it gave out: kept, without meaning for us.</summary>
    [JsonPropertyName("lastIp")]
    public string? LastIp { get; set; }
}

/// <summary>An IPv6 pool, which may lie in a smaller prefix than the subnet.</summary>
public sealed class AllocationPoolV6 : AllocationPool
{
    /// <summary>The prefix that the pool lies in; net6 when absent. Addresses still get net6's prefix length.</summary>
    [JsonPropertyName("cidr")]
    public string? Cidr { get; set; }
}
