using System.Buffers.Text;
using System.Text.Json;

namespace Danm.Kube;

/// <summary>What a service account's token says of itself (RFC 7519, KEP-4193); nothing is verified, since it is our own.</summary>
/// <param name="NodeName">The Node that it is bound to, or whose Pod it is of; null: none.</param>
/// <param name="NodeUid">Which Node of that name; null: not said.</param>
/// <param name="IssuedAt">By the server's clock; null: not said.</param>
/// <param name="ExpiresAt">By the server's clock; null: never.</param>
internal sealed record TokenClaims(string? NodeName, string? NodeUid, DateTimeOffset? IssuedAt, DateTimeOffset? ExpiresAt)
{
    /// <summary>How long it lives in all; zero where it does not say.</summary>
    public TimeSpan Lifetime => ExpiresAt - IssuedAt ?? TimeSpan.Zero;

    /// <summary>Null for tokens of another form.</summary>
    public static TokenClaims? Read(string token)
    {
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        if (second < 0)
            return null;
        try
        {
            using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(first + 1, second - first - 1)));
            var root = payload.RootElement;
            var node = Member(Member(root, "kubernetes.io"), "node");
            return root.ValueKind == JsonValueKind.Object ? new(Text(Member(node, "name")), Text(Member(node, "uid")), Time(Member(root, "iat")), Time(Member(root, "exp"))) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static JsonElement Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static DateTimeOffset? Time(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds is > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
