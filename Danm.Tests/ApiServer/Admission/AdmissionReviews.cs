using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>The documents that go to and come from a webhook, <c>admission.k8s.io</c> v1 and v1beta1.</summary>
public static class AdmissionReviews
{
    public static readonly string[] Versions = ["v1", "v1beta1"];

    private const string Kind = "AdmissionReview";

    public static JsonObject Write(string version, string uid, AdmissionAttributes request, UserInfo user, JsonObject options)
    {
        var told = Request(request, user, options);
        told["uid"] = uid;
        told["object"] = request.Object?.DeepClone();
        told["oldObject"] = request.OldObject?.DeepClone();
        return new JsonObject { ["kind"] = Kind, ["apiVersion"] = $"admission.k8s.io/{version}", ["request"] = told };
    }

    /// <summary>An AdmissionRequest without its uid and the objects, which is what policies see of it.</summary>
    public static JsonObject Request(AdmissionAttributes request, UserInfo user, JsonObject options)
    {
        var type = request.Type;
        var kind = new JsonObject { ["group"] = request.Kind.Group, ["version"] = request.Kind.Version, ["kind"] = request.Kind.Kind };
        var resource = new JsonObject { ["group"] = type.Group, ["version"] = type.Version, ["resource"] = type.Plural };
        var told = new JsonObject { ["kind"] = kind, ["resource"] = resource };
        if (request.Subresource is { } subresource)
            told["subResource"] = subresource;
        told["requestKind"] = kind.DeepClone();
        told["requestResource"] = resource.DeepClone();
        if (request.Subresource is { } same)
            told["requestSubResource"] = same;
        if (request.Name.Length > 0)
            told["name"] = request.Name;
        // A Namespace is told as being in itself.
        if ((request.IsNamespace ? request.Name : request.Namespace) is { Length: > 0 } ns)
            told["namespace"] = ns;
        told["operation"] = request.Operation;
        told["userInfo"] = user.ToJson();
        told["dryRun"] = request.DryRun;
        told["options"] = options.DeepClone();
        return told;
    }

    /// <exception cref="FormatException">The answer is not what a real server accepts.</exception>
    public static AdmissionAnswer Read(ReadOnlySpan<byte> text, string version, string uid)
    {
        var review = Parse(text);
        var (apiVersion, kind) = (review["apiVersion"].String() ?? "", review["kind"].String() ?? "");
        if (apiVersion.Length > 0 && kind.Length > 0 && (kind != Kind || apiVersion != $"admission.k8s.io/{version}"))
            throw new FormatException($"the answer is a {kind} of {apiVersion}, not a {Kind} of admission.k8s.io/{version}");
        if (review["response"] is not { } response)
            throw new FormatException("webhook response was absent");
        if (response is not JsonObject)
            throw new FormatException("response: expected an object");
        if (version == "v1" && response["uid"].String() is var given && given != uid)
            throw new FormatException($"expected response.uid=\"{uid}\", got \"{given}\"");
        if (version == "v1" && (apiVersion.Length == 0 || kind.Length == 0))
            throw new FormatException($"expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {apiVersion}, Kind={kind}");
        var patch = Patch(response["patch"]);
        var patchType = Text(response, "patchType") ?? (version == "v1beta1" && patch.Length > 0 ? "JSONPatch" : null);
        if (version == "v1" && patch.Length > 0 && patchType is null)
            throw new FormatException("webhook returned response.patch but not response.patchType");
        if (version == "v1" && patch.Length == 0 && patchType is not null)
            throw new FormatException("webhook returned response.patchType but not response.patch");
        return new AdmissionAnswer(Allowed(response["allowed"]), Status(response["status"]), patch, patchType, Warnings(response["warnings"]));
    }

    private static JsonObject Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new FormatException("the answer is not a JSON object");
        }
        catch (JsonException e)
        {
            throw new FormatException($"the answer is not JSON: {e.Message}");
        }
    }

    private static bool Allowed(JsonNode? allowed) => allowed is not null
        && (allowed is JsonValue value && value.TryGetValue(out bool yes) ? yes : throw new FormatException("response.allowed: expected a boolean"));

    private static JsonObject? Status(JsonNode? status)
    {
        if (status is null)
            return null;
        if (status is not JsonObject fields || fields["code"] is { } code && !(code is JsonValue number && number.TryGetValue(out int _)))
            throw new FormatException("response.status: expected an object, and in it code as an integer");
        foreach (var name in (string[])["status", "message", "reason"])
            Text(fields, name);
        return fields;
    }

    private static string? Text(JsonNode parent, string name) =>
        parent[name] is not { } node ? null : node.String() ?? throw new FormatException($"{name}: expected a string");

    private static byte[] Patch(JsonNode? patch)
    {
        if (patch is null)
            return [];
        var text = patch.String() ?? throw new FormatException("response.patch: expected a string");
        return GoBase64.IsValid(text) ? Convert.FromBase64String(text) : throw new FormatException("response.patch: illegal base64 data");
    }

    private static string[] Warnings(JsonNode? warnings) => warnings switch
    {
        null => [],
        JsonArray list when list.All(w => w.String() is not null) => [.. list.Select(w => w.String()!)],
        _ => throw new FormatException("response.warnings: expected a list of strings"),
    };
}
