using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Calls;

/// <summary>Networks as the API has them, and whether a CNI call may act on one.</summary>
internal static class NetworkReader
{
    /// <summary>A network; null if there is none.</summary>
    /// <exception cref="CniException">Code 102: it is stored with a value of a wrong type.</exception>
    public static async Task<Network?> TryReadNetworkAsync(this ApiClient api, NetworkRef reference, CancellationToken cancellation)
    {
        Network? network;
        try
        {
            network = await api.TryGetAsync(ResourcePath.Of(reference), ApiJson.Default.Network, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.InnerException is JsonException json)
        {
            // Stored by hand, or before its definition had a schema.
            throw new CniException(CniErrorCode.InvalidNetwork, $"{reference} cannot be used: {FaultOf(json)}: correct the object", inner: e);
        }

        if (network is null)
            return null;
        network.Kind = reference.Kind;
        network.Metadata.Name = reference.Name;
        network.Metadata.Namespace = reference.Namespace;
        return network;
    }

    /// <summary>Why a network is not used; null if nothing speaks against it.</summary>
    /// <param name="network">Untrusted.</param>
    /// <param name="podNamespace">The Pod's namespace; null if there is no Pod, whom no tenant can have started.</param>
    public static CniException? Refusal(Network network, string? podNamespace)
    {
        var faults = NetworkRules.Check(network);
        if (faults.Count > 0)
            return new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} cannot be used: {string.Join("; ", faults)}");
        if (podNamespace is not null && !TenantAccess.Allows(network, podNamespace))
        {
            return new CniException(
                CniErrorCode.TenantNotAllowed,
                network.Kind.IsNamespaced()
                    ? $"{network.Ref} is not for Pods of namespace {podNamespace}: only those of its own namespace may use it"
                    : $"{network.Ref} does not allow Pods of namespace {podNamespace}: ask its administrator to add it to spec.AllowedTenants");
        }

        return null;
    }

    // What is no JSON at all has the reader's own complaint within.
    private static NetworkFault FaultOf(JsonException e) => e.InnerException is JsonException malformed
        ? new NetworkFault(e.Path ?? "$", null, $"cannot be read: {malformed.Message}")
        : new NetworkFault(e.Path?.Replace("$.", "") ?? "spec", null, "has a value of a wrong type");
}
