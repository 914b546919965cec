using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook.Certificates;

/// <summary>A certificate and its key in PEM files, read again when they change: a mounted Secret's do, a while after the Secret.</summary>
/// <param name="certificatePath">The certificate, and after it those between it and the root.</param>
/// <param name="keyPath">Its private key, PKCS#1, SEC1 or PKCS#8.</param>
/// <param name="serving">Where it goes.</param>
/// <param name="log">What is said.</param>
internal sealed class CertificateFiles(string certificatePath, string keyPath, ServingCertificate serving, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private (string Certificate, string Key) last = ("", "");

    /// <summary>Watches the files until it is cancelled. While they cannot be used, what was there before is.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        string? said = null;
        while (!cancellation.IsCancellationRequested)
        {
            var problem = Look();
            if (problem is not null && problem != said)
                log.CertificateFailed(problem);
            said = problem;
            await Task.Delay(Pause, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Reads them once.</summary>
    /// <returns>Why they cannot be used; null: they are, or have not changed.</returns>
    public string? Look()
    {
        try
        {
            var (certificate, key) = (File.ReadAllText(certificatePath), File.ReadAllText(keyPath));
            if (last == (certificate, key))
                return null;
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate);
            serving.Use(X509Certificate2.CreateFromPem(certificate, key), [.. chain.Skip(1)]);
            last = (certificate, key);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            // Between the two writes of a rotation they do not fit, and a moment later they do.
            return $"{certificatePath} and {keyPath} cannot be used: {e.Message}";
        }
    }
}
