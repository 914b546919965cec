using System.Security.Cryptography.X509Certificates;
using Danm.Api;
using Danm.Kube;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook.Certificates;

/// <summary>
/// <c>--self-signed</c>: an authority of our own in a Secret that all replicas share, its certificate trusted by the webhook configuration.
/// Whoever creates or updates the Secret first wins, and the others take what it wrote; it is trusted before it is served.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="options">Where everything is.</param>
/// <param name="serving">Where the certificate goes.</param>
/// <param name="log">What is said.</param>
/// <param name="clock">The time.</param>
internal sealed class SelfSignedCertificates(ApiClient api, SelfSignedOptions options, ServingCertificate serving, ILogger log, TimeProvider clock)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly CertificateRotation rotation = new(
        [$"{options.Service}.{options.Namespace}.svc", $"{options.Service}.{options.Namespace}", options.Service], options.Validity);

    private readonly WebhookRegistration registration = new(api, options, log);
    private readonly ResourcePath path = ResourcePath.Core("secrets", options.Namespace, options.Secret);

    private string served = "";

    /// <summary>Keeps it up until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        string? said = null;
        while (!cancellation.IsCancellationRequested)
        {
            var pause = rotation.Pause;
            try
            {
                await LookAsync(cancellation).ConfigureAwait(false);
                said = null;
            }
            catch (ApiException e)
            {
                if (e.Message != said)
                    log.CertificateFailed(e.Message);
                said = e.Message;
                pause = Retry < pause ? Retry : pause;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(pause, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks once: the Secret, the trust in it, then what is served.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var material = await AgreeAsync(cancellation).ConfigureAwait(false);
        await registration.TrustAsync(material.Bundle, cancellation).ConfigureAwait(false);
        if (served == material.Certificate.Thumbprint)
            return;
        // Nothing between it and the root, which the API server has.
        serving.Use(material.Certificate, new X509Certificate2Collection());
        served = material.Certificate.Thumbprint;
    }

    private async Task<KeyMaterial> AgreeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var found = await api.TryGetAsync(path, ClusterJson.Default.Secret, cancellation).ConfigureAwait(false);
            var material = found is null ? null : KeyMaterial.Read(found);
            var next = rotation.Next(material, clock.GetUtcNow());
            if (ReferenceEquals(next, material))
                return next;
            var secret = new Secret
            {
                Metadata = found?.Metadata ?? new ObjectMeta { Name = options.Secret, Namespace = options.Namespace, Labels = new() { [ApiNames.ManagedByLabel] = ApiNames.ManagedBy } },
                Type = found is null ? "kubernetes.io/tls" : found.Type,
                // Members that are not ours stay.
                Data = new Dictionary<string, byte[]>([.. (found?.Data ?? []).Where(d => !next.ToData().ContainsKey(d.Key)), .. next.ToData()]),
            };
            try
            {
                if (found is null)
                    await api.CreateAsync(ResourcePath.Core("secrets", options.Namespace), secret, ClusterJson.Default.Secret, cancellation).ConfigureAwait(false);
                else
                    await api.UpdateAsync(path, secret, ClusterJson.Default.Secret, cancellation).ConfigureAwait(false);
                log.Did($"made a certificate, valid until {next.Certificate.NotAfter:u}, in Secret {options.Namespace}/{options.Secret}");
            }
            catch (ApiException e) when (e.IsAlreadyExists || e.IsConflict || (found is not null && e.IsNotFound))
            {
                // Another replica was faster: its certificate is as good.
            }
        }
    }
}
