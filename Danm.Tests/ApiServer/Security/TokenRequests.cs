using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Admission;

namespace Danm.Tests.ApiServer.Security;

/// <summary>
/// The <c>token</c> subresource of service accounts: tokens of the form of real ones (KEP-1205, KEP-4193), bound to a Node or a Pod, with which
/// their holder is the account until they expire. They are not signed: the server knows those that it gave.
/// </summary>
/// <param name="store">Where accounts, Nodes and Pods are.</param>
/// <param name="tokens">User by token.</param>
/// <param name="longest">What the server allows: <c>--service-account-max-token-expiration</c>.</param>
internal sealed class TokenRequests(ApiStore store, ConcurrentDictionary<string, string> tokens, TimeSpan? longest)
{
    private const long Shortest = 600;

    /// <summary>Answers a create.</summary>
    public async Task<JsonObject> CreateAsync(string ns, string account, JsonObject request, RequestAdmission admission)
    {
        var owner = store.Get("v1", "ServiceAccount", ns, account) ?? throw new StatusException(404, "NotFound", $"serviceaccounts \"{account}\" not found");
        if (request["apiVersion"].String() != "authentication.k8s.io/v1" || request["kind"].String() != "TokenRequest")
            throw StatusException.BadRequest("the object is no authentication.k8s.io/v1 TokenRequest");
        var attributes = new AdmissionAttributes(BuiltInTypes.ServiceAccount, "token", ns, account, AdmissionAttributes.Create, request, null, DryRun: admission.Options["dryRun"] is not null);
        if (admission.IsNeeded && await admission.AdmitAsync(attributes) is { } changed)
            attributes = attributes with { Object = request = changed };
        var seconds = request.At("spec", "expirationSeconds")?.GetValue<long>() ?? 3600;
        if (seconds < Shortest)
            throw new StatusException(422, "Invalid", $"TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: {seconds}: may not specify a duration less than 10 minutes");
        if (admission.IsJudged)
            admission.Judge(attributes);
        var lifetime = longest is { } most && most < TimeSpan.FromSeconds(seconds) ? most : TimeSpan.FromSeconds(seconds);
        var claims = new JsonObject { ["namespace"] = ns, ["serviceaccount"] = new JsonObject { ["name"] = account, ["uid"] = owner.At("metadata", "uid").String() } };
        if (request.At("spec", "boundObjectRef") is JsonObject bound)
        {
            var present = Bound(ns, bound);
            claims[bound["kind"].String()!.ToLowerInvariant()] = Reference(present);
            // A Pod's says its node, too (KEP-4193).
            if (present.At("spec", "nodeName").String() is { } node && store.Get("v1", "Node", null, node) is { } host)
                claims["node"] = Reference(host);
        }

        var now = DateTimeOffset.UtcNow;
        var user = $"system:serviceaccount:{ns}:{account}";
        var token = Encode(new JsonObject
        {
            ["aud"] = new JsonArray("https://kubernetes.default.svc.cluster.local"), ["exp"] = (now + lifetime).ToUnixTimeSeconds(), ["iat"] = now.ToUnixTimeSeconds(),
            ["iss"] = "https://kubernetes.default.svc.cluster.local", ["jti"] = Guid.NewGuid().ToString(), ["kubernetes.io"] = claims, ["sub"] = user,
        });
        tokens[token] = user;
        _ = Task.Delay(lifetime).ContinueWith(_ => tokens.TryRemove(token, out var _), TaskScheduler.Default);
        var answer = (JsonObject)request.DeepClone();
        answer["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = (now + lifetime).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) };
        return answer;
    }

    private JsonObject Bound(string ns, JsonObject bound)
    {
        var (kind, name, uid) = (bound["kind"].String(), bound["name"].String() ?? "", bound["uid"].String());
        var present = kind switch
        {
            "Node" => store.Get("v1", "Node", null, name),
            "Pod" => store.Get("v1", "Pod", ns, name),
            _ => throw StatusException.BadRequest($"cannot bind token to object of type {kind}"),
        } ?? throw new StatusException(404, "NotFound", $"{kind!.ToLowerInvariant()}s \"{name}\" not found");
        var current = present.At("metadata", "uid").String();
        if (uid is not null && uid != current)
            throw new StatusException(409, "Conflict", $"Operation cannot be fulfilled on {kind.ToLowerInvariant()}s \"{name}\": the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated");
        return present;
    }

    private static JsonObject Reference(JsonObject one) => new() { ["name"] = one.At("metadata", "name").String(), ["uid"] = one.At("metadata", "uid").String() };

    private static string Encode(JsonObject payload)
    {
        return $"{Part("""{"alg":"RS256","kid":"test"}"""u8)}.{Part(Encoding.UTF8.GetBytes(payload.ToJsonString()))}.{Part(new byte[256])}";

        static string Part(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }
}
