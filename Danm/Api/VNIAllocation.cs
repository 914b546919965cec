using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>One VLAN or VxLAN id in use by a TenantNetwork on one device: creating it is the lock.</summary>
public sealed class VNIAllocation : IApiObject
{
    /// <summary>danm.io/v1.</summary>
    public string? ApiVersion { get; set; } = ApiNames.GroupVersion;

    /// <summary>VNIAllocation.</summary>
    public string? Kind { get; set; } = ApiNames.VNIAllocation;

    /// <summary>The name is made of device, type and id.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Which id, for whom.</summary>
    public VNIAllocationSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary><c>spec</c> of a <see cref="VNIAllocation"/>.</summary>
public sealed class VNIAllocationSpec
{
    /// <summary>The entry's name in the TenantConfig: a host device or a device pool.</summary>
    public string? Device { get; set; }

    /// <summary>vlan or vxlan.</summary>
    public string? VniType { get; set; }

    /// <summary>The id.</summary>
    public int Vni { get; set; }

    /// <summary>The TenantNetwork that it was reserved for; without a name while the server has not made one.</summary>
    public NetworkRef? Network { get; set; }

    /// <summary>What a later build has written besides; the whole object is written back, and so is this.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }
}
