using Danm.Networks.Admission;

namespace Danm.Tenants;

/// <summary>A TenantNetwork that is being created wants an id.</summary>
/// <param name="Vnis">The device, and which ids of it tenants may have.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name; null while the server has not made one.</param>
public sealed record VniRequest(TenantVnis Vnis, string Namespace, string? Name);
