using System.Buffers.Text;
using System.Text.Json;
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
        return token is null ? null : Claim(token, static root =>
            root.TryGetProperty("kubernetes.io", out var k) && k.ValueKind == JsonValueKind.Object
            && k.TryGetProperty("node", out var node) && node.ValueKind == JsonValueKind.Object
            && node.TryGetProperty("name", out var name) ? name.GetString() : null);
    }

    /// <summary>When a token ends (RFC 7519 section 4.1.4); null for tokens without an end or of another form.</summary>
    public static DateTimeOffset? ExpiryOf(string token) => Claim(token, static root =>
        root.TryGetProperty("exp", out var exp) && exp.TryGetInt64(out var seconds) && seconds is > 0 and < 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : (DateTimeOffset?)null);

    private static T? Claim<T>(string token, Func<JsonElement, T?> read)
    {
        var first = token.IndexOf('.');
        var second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        if (second < 0)
            return default;
        try
        {
            using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(first + 1, second - first - 1)));
            return payload.RootElement.ValueKind == JsonValueKind.Object ? read(payload.RootElement) : default;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return default;
        }
    }
}
