using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook.Certificates;

/// <summary>The certificate that new connections get; it may be another one at any moment.</summary>
/// <param name="log">What is said.</param>
/// <param name="clock">The time.</param>
internal sealed class ServingCertificate(ILogger log, TimeProvider clock)
{
    private DateTimeOffset notAfter;

    /// <summary>With its chain; null: there is none yet.</summary>
    public SslStreamCertificateContext? Current { get; private set; }

    /// <summary>Why nobody would take it; null: they would.</summary>
    public string? Problem => Current is null ? "there is no certificate yet" : clock.GetUtcNow() > notAfter ? $"the certificate has expired at {notAfter:u}" : null;

    /// <summary>From now on this one.</summary>
    /// <param name="certificate">With its private key.</param>
    /// <param name="chain">The authorities between it and the root, sent along.</param>
    public void Use(X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        var context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        notAfter = certificate.NotAfter;
        Current = context;
        log.Serves(certificate.Thumbprint, notAfter);
    }
}
