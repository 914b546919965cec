using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>One webhook of a MutatingWebhookConfiguration, which was checked when it was written.</summary>
public sealed class MutatingWebhook(JsonNode source)
{
    private readonly AdmissionMatch match = new(source["rules"], source["namespaceSelector"], source["objectSelector"]);

    public string Name { get; } = source["name"].String()!;

    public bool IgnoresFailures { get; } = source["failurePolicy"].String() == "Ignore";

    public TimeSpan Timeout { get; } = TimeSpan.FromSeconds(source["timeoutSeconds"]!.GetValue<int>());

    public JsonObject ClientConfig { get; } = (JsonObject)source["clientConfig"]!.DeepClone();

    /// <summary>Of AdmissionReview: the first of the webhook's own that this server can write.</summary>
    public string ReviewVersion { get; } = AdmissionRule.Strings(source["admissionReviewVersions"]).First(AdmissionReviews.Versions.Contains);

    public bool Matches(AdmissionAttributes request, ObjectStore store) => match.Matches(request, store);
}
