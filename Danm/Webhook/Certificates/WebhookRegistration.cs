using System.Text;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook.Certificates;

/// <summary>The <c>caBundle</c>s of the webhook configuration, where they are for our Service.</summary>
/// <param name="api">The API server.</param>
/// <param name="options">Which configuration, which Service.</param>
/// <param name="log">What is said.</param>
internal sealed class WebhookRegistration(ApiClient api, SelfSignedOptions options, ILogger log)
{
    private readonly ResourcePath path = ResourcePath.Of("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", null, options.Configuration);

    private bool isMissing;

    /// <summary>Makes the API server trust these authorities, and nothing else, for calls to our Service.</summary>
    /// <param name="bundle">PEM.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task TrustAsync(string bundle, CancellationToken cancellation)
    {
        var text = Convert.ToBase64String(Encoding.ASCII.GetBytes(bundle));
        while (true)
        {
            // As a whole, and written back as a whole: what others have put there stays.
            var configuration = await api.TryGetAsync(path, ClusterJson.Default.JsonObject, cancellation).ConfigureAwait(false);
            if (configuration is null)
            {
                // Whoever applies it later is met at the next look.
                if (!isMissing)
                    log.CertificateFailed($"there is no MutatingWebhookConfiguration {options.Configuration} yet: nobody asks this webhook");
                isMissing = true;
                return;
            }

            isMissing = false;
            if (!Set(configuration, text))
                return;
            try
            {
                await api.UpdateAsync(path, configuration, ClusterJson.Default.JsonObject, cancellation).ConfigureAwait(false);
                log.Did($"MutatingWebhookConfiguration {options.Configuration} trusts the certificate");
                return;
            }
            catch (ApiException e) when (e.IsConflict)
            {
                // Somebody else has written: look again.
            }
        }
    }

    private bool Set(JsonObject configuration, string bundle)
    {
        var isChanged = false;
        foreach (var webhook in configuration["webhooks"] as JsonArray ?? [])
        {
            if (webhook?["clientConfig"] is not JsonObject client || client["service"] is not JsonObject service
                || (string?)service["name"] != options.Service || (string?)service["namespace"] != options.Namespace || (string?)client["caBundle"] == bundle)
                continue;
            client["caBundle"] = bundle;
            isChanged = true;
        }

        return isChanged;
    }
}
