using Danm.Kube;
using k8s;

namespace Danm.Calls;

/// <summary>The Kubernetes node that a token is bound to (KEP-4193), as the token itself says.</summary>
internal static class NodeName
{
    public static async Task<string?> FromTokenAsync(KubernetesClientConfiguration configuration, CancellationToken cancellation)
    {
        var token = configuration.TokenProvider is { } provider
            ? (await provider.GetAuthenticationHeaderAsync(cancellation).ConfigureAwait(false)).Parameter
            : configuration.AccessToken;
        return token is null ? null : TokenClaims.Read(token)?.NodeName;
    }
}
