using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>What a real server checks of a MutatingWebhookConfiguration beyond its schema.</summary>
public static class WebhookConfigurationRules
{
    /// <exception cref="StatusException">501: the configuration needs what this server cannot do.</exception>
    public static void Check(JsonObject configuration, List<FieldError> errors)
    {
        var names = new HashSet<string>();
        foreach (var (webhook, index) in (configuration["webhooks"] as JsonArray ?? []).Select((w, i) => (w, i)))
        {
            if (webhook is not JsonObject)
                continue;
            var path = $"webhooks[{index}]";
            if (webhook["matchConditions"] is JsonArray { Count: > 0 })
                throw StatusException.NotImplemented("matchConditions of webhooks");
            if (webhook["reinvocationPolicy"].String() == "IfNeeded")
                throw StatusException.NotImplemented("reinvocationPolicy IfNeeded");
            CheckName(webhook["name"].String() ?? "", $"{path}.name", names, errors);
            CheckVersions(webhook["admissionReviewVersions"], $"{path}.admissionReviewVersions", errors);
            if (webhook["clientConfig"] is JsonObject client)
                CheckClient(client, $"{path}.clientConfig", errors);
        }
    }

    private static void CheckName(string name, string path, HashSet<string> names, List<FieldError> errors)
    {
        if (!Names.IsSubdomain(name) || name.Split('.').Length < 3)
            errors.Add(FieldError.Invalid(path, name, "should be a domain with at least three segments separated by dots"));
        if (!names.Add(name))
            errors.Add(FieldError.Duplicate(path, name));
    }

    private static void CheckVersions(JsonNode? versions, string path, List<FieldError> errors)
    {
        var given = AdmissionRule.Strings(versions);
        if (given.Length == 0)
            errors.Add(FieldError.Required(path, "must specify one of v1, v1beta1"));
        else if (!given.Any(AdmissionReviews.Versions.Contains))
            errors.Add(FieldError.Invalid(path, versions, "must include at least one of v1, v1beta1"));
    }

    private static void CheckClient(JsonObject client, string path, List<FieldError> errors)
    {
        if (client["url"] is null == client["service"] is null)
            errors.Add(FieldError.Required($"{path}.url", "exactly one of url or service is required"));
        if (client["url"].String() is { } url)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != "https")
                errors.Add(FieldError.Invalid($"{path}.url", url, "'https' is the only allowed URL scheme; desired format: https://host[/path]"));
            else if (address.UserInfo.Length + address.Query.Length + address.Fragment.Length > 0)
                errors.Add(FieldError.Invalid($"{path}.url", url, "user information, query parameters and fragments are not permitted in the URL"));
        }
        if (client["service"].At("path").String() is { } place && !place.StartsWith('/'))
            errors.Add(FieldError.Invalid($"{path}.service.path", place, "must start with a '/'"));
    }
}
