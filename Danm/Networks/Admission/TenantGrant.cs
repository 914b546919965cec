namespace Danm.Networks.Admission;

/// <summary>What a TenantConfig grants one TenantNetwork.</summary>
/// <param name="NetworkId">What NetworkID becomes; null: it stays.</param>
/// <param name="HostDevice">What host_device becomes; null: there is none, or for a static type it stays.</param>
/// <param name="DevicePool">The device_pool that was asked for; null: there is none, or for a static type it stays.</param>
/// <param name="Vnis">Where its VNI comes from; null: it gets none.</param>
public sealed record TenantGrant(string? NetworkId, string? HostDevice, string? DevicePool, TenantVnis? Vnis);

/// <summary>The ids that an entry of a TenantConfig gives out.</summary>
/// <param name="Device">The entry's name.</param>
/// <param name="Encapsulation">VLAN or VxLAN.</param>
/// <param name="Ranges">The ids, whether in use or not.</param>
public sealed record TenantVnis(string Device, Encapsulation Encapsulation, VniRanges Ranges);
