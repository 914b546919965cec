using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.ApiServer.Security;

/// <summary>
/// What a user asks about himself (authorization.k8s.io/v1): SelfSubjectAccessReview, may I do this, and SelfSubjectRulesReview, what may I do.
/// Everybody may ask; nothing is stored.
/// </summary>
internal sealed class AccessReviews(Authorizer? authorizer)
{
    private const string Group = "authorization.k8s.io";

    /// <summary>Whether a path is for these.</summary>
    public static bool Is(RequestPath? path) => path is { Group: Group, Plural: "selfsubjectaccessreviews" or "selfsubjectrulesreviews", Name: null };

    /// <summary>Answers a create.</summary>
    public JsonObject Create(UserInfo user, RequestPath path, JsonObject review)
    {
        var kind = path.Plural == "selfsubjectaccessreviews" ? "SelfSubjectAccessReview" : "SelfSubjectRulesReview";
        if (review["apiVersion"].String() != $"{Group}/v1" || review["kind"].String() != kind)
            throw StatusException.BadRequest($"the object is no {Group}/v1 {kind}");
        var answer = (JsonObject)review.DeepClone();
        answer["status"] = kind == "SelfSubjectAccessReview" ? Access(user, review) : Rules(user, review);
        return answer;
    }

    private JsonObject Access(UserInfo user, JsonObject review)
    {
        if (review.At("spec", "resourceAttributes") is not JsonObject asked)
            throw new StatusException(422, "Invalid", "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        string Text(string member) => asked[member].String() ?? "";
        var resource = Text("subresource").Length > 0 ? $"{Text("resource")}/{Text("subresource")}" : Text("resource");
        var allowed = authorizer is null || authorizer.May(user, Text("namespace"), Text("group"), resource, Text("name"), Text("verb"));
        return new JsonObject { ["allowed"] = allowed };
    }

    private JsonObject Rules(UserInfo user, JsonObject review)
    {
        var ns = review.At("spec", "namespace").String();
        if (string.IsNullOrEmpty(ns))
            throw StatusException.BadRequest("no namespace on request");
        JsonNode[] rules = authorizer is null || user.MayAll
            ? [new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") }]
            : [.. authorizer.RulesFor(user, ns).OfType<JsonNode>().Select(r => r.DeepClone())];
        // What system:basic-user lets everybody do.
        rules = [.. rules, new JsonObject { ["verbs"] = new JsonArray("create"), ["apiGroups"] = new JsonArray(Group), ["resources"] = new JsonArray("selfsubjectaccessreviews", "selfsubjectrulesreviews") }];
        return new JsonObject { ["resourceRules"] = new JsonArray(rules), ["nonResourceRules"] = new JsonArray(), ["incomplete"] = false };
    }
}
