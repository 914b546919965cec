using Danm.Api;

namespace Danm.Networks;

/// <summary>Who may use a network.</summary>
public static class TenantAccess
{
    /// <summary>
    /// Whether Pods of a namespace may attach: to a ClusterNetwork if AllowedTenants has the namespace or is absent or
    /// empty, to the others in their own namespace.
    /// </summary>
    public static bool Allows(Network network, string podNamespace)
    {
        ArgumentNullException.ThrowIfNull(network);
        return network.Kind == NetworkKind.ClusterNetwork
            ? network.Spec.AllowedTenants is not { Count: > 0 } tenants || tenants.Contains(podNamespace)
            : network.Metadata.Namespace == podNamespace;
    }
}
