using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>Service account tokens, not signed but of the form and length of those that the TokenRequest API binds to a Node (KEP-4193).</summary>
internal static class NodeToken
{
    public static string For(string node, DateTimeOffset? expires = null, string account = "danm")
    {
        var payload = new JsonObject
        {
            ["aud"] = new JsonArray("https://kubernetes.default.svc.cluster.local"),
            ["exp"] = (expires ?? DateTimeOffset.UtcNow.AddDays(1)).ToUnixTimeSeconds(),
            ["iss"] = "https://kubernetes.default.svc.cluster.local",
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = "kube-system",
                ["node"] = new JsonObject { ["name"] = node, ["uid"] = Guid.NewGuid().ToString() },
                ["serviceaccount"] = new JsonObject { ["name"] = account, ["uid"] = Guid.NewGuid().ToString() },
            },
            ["sub"] = $"system:serviceaccount:kube-system:{account}",
        }.ToJsonString();
        return $"{Encode("""{"alg":"RS256","kid":"test"}"""u8)}.{Encode(Encoding.UTF8.GetBytes(payload))}.{Encode(new byte[256])}";

        static string Encode(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }
}
