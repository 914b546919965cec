namespace Danm.Api;

/// <summary>What tenants get: devices with their VNIs, and NetworkIDs. It has no spec.</summary>
public sealed class TenantConfig : IApiObject
{
    /// <summary>danm.io/v1.</summary>
    public string? ApiVersion { get; set; } = ApiNames.GroupVersion;

    /// <summary>TenantConfig.</summary>
    public string? Kind { get; set; } = ApiNames.TenantConfig;

    /// <summary>Name and uid.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>The devices that tenants may use, first choice first.</summary>
    public List<TenantHostDevice>? HostDevices { get; set; }

    /// <summary>NetworkType to the NetworkID that every TenantNetwork of that type gets.</summary>
    public Dictionary<string, string>? NetworkIds { get; set; }
}

/// <summary>An entry of <see cref="TenantConfig.HostDevices"/>. In every member, empty counts as absent.</summary>
public sealed class TenantHostDevice
{
    /// <summary>A host device, or a device pool if it holds a <c>/</c>.</summary>
    public string? Name { get; set; }

    /// <summary>vlan or vxlan; absent: untagged.</summary>
    public string? VniType { get; set; }

    /// <summary>Ranges of ids, <c>2000-2500,2601</c>.</summary>
    public string? VniRange { get; set; }

    /// <summary>The original's bitmap: kept, never written by us.</summary>
    public string? Alloc { get; set; }
}
