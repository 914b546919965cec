using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>core/v1 Secret: what is written as <c>stringData</c> is stored as <c>data</c>, which is base64 and at most 1 MiB.</summary>
public static class Secrets
{
    private const int SizeLimit = 1024 * 1024;

    /// <exception cref="StatusException">400: a value is not base64.</exception>
    public static void Fold(JsonObject secret)
    {
        foreach (var (_, value) in secret["data"] as JsonObject ?? [])
            if (value.String() is { } text && !GoBase64.IsValid(text))
                throw StatusException.BadRequest("Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data in data");
        if (secret["stringData"] is not JsonObject plain)
            return;
        foreach (var (key, value) in plain)
            secret.Child("data")[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(value.String() ?? ""));
        secret.Remove("stringData");
    }

    public static void Check(JsonObject secret, JsonObject? old, List<FieldError> errors)
    {
        var data = secret["data"] as JsonObject ?? [];
        foreach (var (key, _) in data)
            if (key.Length > 253 || key is "." or ".." || key.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
                errors.Add(FieldError.Invalid($"data[{key}]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"));
        if (data.Sum(d => (d.Value.String()?.Length ?? 0) / 4 * 3) > SizeLimit)
            errors.Add(FieldError.TooLong("data", SizeLimit));
        if (secret["type"].String() == "kubernetes.io/tls")
            errors.AddRange(new[] { "tls.crt", "tls.key" }.Where(k => !data.ContainsKey(k)).Select(k => FieldError.Required($"data[{k}]")));
        if (old is null)
            return;
        if (!JsonNode.DeepEquals(old["type"], secret["type"]))
            errors.Add(FieldError.Invalid("type", secret["type"], "field is immutable"));
        if (old["immutable"]?.GetValue<bool>() == true && !(secret["immutable"]?.GetValue<bool>() == true && JsonNode.DeepEquals(old["data"], secret["data"])))
            errors.Add(FieldError.Forbidden("data", "field is immutable when `immutable` is set"));
    }
}
