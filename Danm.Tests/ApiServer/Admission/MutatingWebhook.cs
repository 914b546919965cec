using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>One webhook of a MutatingWebhookConfiguration, which was checked when it was written.</summary>
public sealed class MutatingWebhook(JsonNode source)
{
    private readonly AdmissionRule[] rules = [.. (source["rules"] as JsonArray ?? []).Select(r => AdmissionRule.Read(r!))];
    private readonly ObjectSelector namespaces = new(source["namespaceSelector"]);
    private readonly ObjectSelector objects = new(source["objectSelector"]);

    public string Name { get; } = source["name"].String()!;

    public bool IgnoresFailures { get; } = source["failurePolicy"].String() == "Ignore";

    public TimeSpan Timeout { get; } = TimeSpan.FromSeconds(source["timeoutSeconds"]!.GetValue<int>());

    public JsonObject ClientConfig { get; } = (JsonObject)source["clientConfig"]!.DeepClone();

    /// <summary>Of AdmissionReview: the first of the webhook's own that this server can write.</summary>
    public string ReviewVersion { get; } = AdmissionRule.Strings(source["admissionReviewVersions"]).First(AdmissionReviews.Versions.Contains);

    /// <param name="namespaceOf">Looks up the Namespace object of a request; only asked where a selector needs it.</param>
    public bool Matches(AdmissionAttributes request, Func<JsonObject> namespaceOf)
    {
        if (!rules.Any(r => r.Matches(request)))
            return false;
        if (!objects.IsEmpty && !(Selected(request.Object) || Selected(request.OldObject)))
            return false;
        if (namespaces.IsEmpty || request is { Namespace: null, IsNamespace: false })
            return true;
        // A Namespace that is being written is judged by its own new labels.
        var place = request.IsNamespace && request.Object is { } own ? own : namespaceOf();
        return namespaces.Matches(place["metadata"]);
    }

    private bool Selected(JsonObject? candidate) => candidate is not null && objects.Matches(candidate["metadata"]);
}
