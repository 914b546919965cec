using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Patches;
using Danm.Tests.ApiServer.Schema;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>Asks the webhooks of all MutatingWebhookConfigurations, one after the other, each about what the one before left.</summary>
public sealed class MutatingAdmission(ObjectStore store, ServiceEndpoints services) : IDisposable
{
    private readonly ConcurrentDictionary<string, WebhookClient> clients = new();
    private volatile Configured configured = new(null, []);

    public bool Any => Webhooks().Length > 0;

    /// <returns>Null if no webhook changed the object.</returns>
    public async ValueTask<JsonObject?> AdmitAsync(AdmissionAttributes request, RequestAdmission origin)
    {
        // Else a broken webhook could keep its own configuration from being mended.
        if (request.Type.Group == BuiltInTypes.MutatingWebhookConfiguration.Group)
            return null;
        var changed = false;
        foreach (var webhook in Webhooks())
        {
            if (!webhook.Matches(request, store))
                continue;
            if (request.Type.Group == "events.k8s.io")
                throw StatusException.NotImplemented("admission of events.k8s.io");
            if (await AskAsync(webhook, request, origin) is not { } patched)
                continue;
            request = request with { Object = patched };
            changed = true;
        }
        return changed ? request.Object : null;
    }

    private async Task<JsonObject?> AskAsync(MutatingWebhook webhook, AdmissionAttributes request, RequestAdmission origin)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var answer = await CallAsync(webhook, request, origin);
            origin.Warn(answer.Warnings);
            origin.Note(new(webhook.Name, Stopwatch.GetElapsedTime(started), answer.Allowed ? "allowed" : "denied"));
            return answer.Allowed ? Patched(webhook, answer, request) : throw answer.Denial(webhook.Name);
        }
        catch (WebhookFailure failure)
        {
            origin.Note(new(webhook.Name, Stopwatch.GetElapsedTime(started), failure.Message));
            return webhook.IgnoresFailures ? null : throw StatusException.Internal($"failed calling webhook \"{webhook.Name}\": {failure.Message}");
        }
    }

    private async Task<AdmissionAnswer> CallAsync(MutatingWebhook webhook, AdmissionAttributes request, RequestAdmission origin)
    {
        var uid = Guid.NewGuid().ToString();
        var review = AdmissionReviews.Write(webhook.ReviewVersion, uid, request, origin.User, origin.Options);
        var text = await ClientFor(webhook).PostAsync(review, webhook.Timeout, origin.Cancellation);
        try
        {
            return AdmissionReviews.Read(text, webhook.ReviewVersion, uid);
        }
        catch (FormatException e)
        {
            throw new WebhookFailure($"received invalid webhook response: {e.Message}");
        }
    }

    private static JsonObject? Patched(MutatingWebhook webhook, AdmissionAnswer answer, AdmissionAttributes request)
    {
        if (answer.Patch.Length == 0)
            return null;
        var patch = Decoded(answer.Patch);
        if (patch.Count == 0)
            return null;
        if (request.Object is null)
            throw StatusException.Internal($"admission webhook \"{webhook.Name}\" attempted to modify the object, which is not supported for this operation");
        if (answer.PatchType != "JSONPatch")
            throw new WebhookFailure($"unsupported patch type \"{answer.PatchType}\"");
        try
        {
            var result = JsonPatch.Apply((JsonObject)request.Object.DeepClone(), patch);
            SchemaPruner.ApplyDefaults(result, request.Type.Schema);
            return result;
        }
        catch (StatusException e)
        {
            // A patch that does not fit is the webhook's fault, not the client's, and no failure that a policy could ignore.
            throw StatusException.Internal(e.Message);
        }
    }

    private static JsonArray Decoded(byte[] patch)
    {
        try
        {
            return Json.Parse(patch) as JsonArray ?? throw new WebhookFailure("received undecodable patch in webhook response: expected a list");
        }
        catch (StatusException e)
        {
            throw new WebhookFailure($"received undecodable patch in webhook response: {e.Message}");
        }
    }

    private WebhookClient ClientFor(MutatingWebhook webhook)
    {
        try
        {
            return clients.GetOrAdd(webhook.ClientConfig.ToJsonString(), _ => new WebhookClient(webhook.ClientConfig, services));
        }
        catch (CryptographicException e)
        {
            throw new WebhookFailure($"could not get REST client: {e.Message}");
        }
    }

    /// <summary>Those of all configurations, in the order of the configurations' names; read anew when one of them changed.</summary>
    private MutatingWebhook[] Webhooks()
    {
        var stored = store.Table(BuiltInTypes.MutatingWebhookConfiguration).Objects;
        var known = configured;
        if (!ReferenceEquals(known.From, stored))
            configured = known = new(stored, [.. stored.SelectMany(c => c.Parse()["webhooks"] as JsonArray ?? []).Select(w => new MutatingWebhook(w!))]);
        return known.Webhooks;
    }

    public void Dispose()
    {
        foreach (var client in clients.Values)
            client.Dispose();
    }

    private sealed record Configured(ImmutableSortedSet<StoredObject>? From, MutatingWebhook[] Webhooks);
}
