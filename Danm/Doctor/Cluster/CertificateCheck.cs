using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>How long the webhook's certificates are good: what the API server trusts, and what the webhook shows.</summary>
internal sealed class CertificateCheck(ClusterView cluster, TimeProvider clock) : ICheck
{
    private const string Configuration = "danm-webhook-config";
    private const string Renewal = "the webhook (with --self-signed) or cert-manager renews it long before: see their logs";

    // By --self-signed, cert-manager, and the original's installer.
    private static readonly string[] Secrets = ["danm-webhook-tls", "danm-webhook-certs"], CertificateKeys = ["tls.crt", "cert.pem"];

    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <inheritdoc/>
    public string Id => "cluster-certificates";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        if (await cluster.TryGetAsync(ResourcePath.Of("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", null, Configuration), cancellation).ConfigureAwait(false) is not { } configuration)
        {
            yield return Finding.Ok("there is no webhook, which would need certificates");
            yield break;
        }

        foreach (var bundle in configuration["webhooks"].Items.Select(w => w["clientConfig"]["caBundle"].Text).Where(b => b.Length > 0).Distinct())
            yield return Judge("the authority that the API server trusts", Decode(bundle), all: false, clock.GetUtcNow());
        foreach (var name in Secrets)
        {
            Finding? unseen = null;
            Document? secret = null;
            try
            {
                secret = await cluster.TryGetAsync(ResourcePath.Core("secrets", ClusterView.SystemNamespace, name), cancellation).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.Code == System.Net.HttpStatusCode.Forbidden)
            {
                unseen = Finding.Info($"no right to look at the Secret {name}: how long the webhook's own certificate is good is not known", "its metric and log say so");
            }

            var data = CertificateKeys.Select(k => secret?["data"][k].Text ?? "").FirstOrDefault(d => d.Length > 0);
            if (unseen is not null || data is not null)
                yield return unseen ?? Judge($"the webhook's certificate in Secret {name}", Decode(data!), all: true, clock.GetUtcNow());
        }
    }

    /// <summary>What certificates are worth at a time.</summary>
    /// <param name="what">What they are.</param>
    /// <param name="pem">One or more; null: nothing that can be read.</param>
    /// <param name="all">Whether all are needed (a chain), or one will do (authorities, of which some are on their way out).</param>
    /// <param name="now">The time.</param>
    internal static Finding Judge(string what, string? pem, bool all, DateTimeOffset now)
    {
        using var certificates = new Owned();
        try
        {
            certificates.List.ImportFromPem(pem ?? "");
        }
        catch (CryptographicException)
        {
            // None, then.
        }

        if (certificates.List.Count == 0)
            return Finding.Failed($"{what} cannot be read: it is no PEM", Renewal);
        var ends = certificates.List.Select(c => new DateTimeOffset(c.NotAfter.ToUniversalTime())).Order().ToList();
        var end = all ? ends[0] : ends[^1];
        return end <= now ? Finding.Failed($"{what} has expired at {end:u}: networks cannot be created or changed", Renewal)
            : end - now < Soon ? Finding.Warning($"{what} expires at {end:u}", Renewal)
            : Finding.Ok($"{what} is good until {end:u}");
    }

    private static string? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? Encoding.UTF8.GetString(bytes.AsSpan(0, length)) : null;
    }

    private sealed class Owned : IDisposable
    {
        public X509Certificate2Collection List { get; } = [];

        public void Dispose()
        {
            foreach (var certificate in List)
                certificate.Dispose();
        }
    }
}
