using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Security;

/// <summary>What a service account's token says of its holder besides the account: the object that it is bound to (KEP-1205, KEP-4193).</summary>
internal static class TokenClaims
{
    private const string Prefix = "authentication.kubernetes.io/";

    /// <summary>The holder of a token that the server has accepted already; of one that is no service account's, the name is all.</summary>
    public static UserInfo Holder(string token, string user)
    {
        var known = new UserInfo(user);
        if (Payload(token) is not { } claims || claims["kubernetes.io"] is not JsonObject bound)
            return known;
        var extra = new Dictionary<string, IReadOnlyList<string>>();
        Add("credential-id", claims["jti"].String() is { } id ? $"JTI={id}" : null);
        foreach (var kind in (string[])["node", "pod"])
        {
            Add($"{kind}-name", bound.At(kind, "name").String());
            Add($"{kind}-uid", bound.At(kind, "uid").String());
        }

        return known with { Uid = bound.At("serviceaccount", "uid").String() ?? "", Extra = extra };

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                extra[Prefix + name] = [value];
        }
    }

    private static JsonNode? Payload(string token)
    {
        try
        {
            return token.Split('.') is [_, var payload, _] ? JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload)) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }
}
