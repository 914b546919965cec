using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;

namespace Danm.Kube;

/// <summary>
/// The HTTP/2 connection to the API server that a client configuration describes. The client library's own <c>Kubernetes</c> would
/// bring the models and the JSON of the whole Kubernetes API along: 40 % of the executable, 2 ms and 4 MB of each CNI call.
/// </summary>
internal static class ApiConnection
{
    /// <summary>Opens nothing yet: the first request does.</summary>
    /// <param name="configuration">Server, authority and the client's certificate.</param>
    /// <param name="patience">How long connecting and the handshake may take.</param>
    /// <exception cref="KubeConfigException">The client's certificate cannot be used.</exception>
    public static HttpMessageInvoker Create(KubernetesClientConfiguration configuration, TimeSpan patience)
    {
        TrustStore.SkipSystem(configuration);
        NameService.UseFilesAndDns();
        return new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectTimeout = patience,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            // A connection whose other end is gone without a word is noticed, and the next attempt opens another.
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = ChainPolicy(configuration.SslCaCerts),
                RemoteCertificateValidationCallback = Validation(configuration),
                ClientCertificateContext = ClientCertificate(configuration),
            },
        });
    }

    // Without an authority of its own, the kubeconfig trusts what the host trusts.
    private static X509ChainPolicy? ChainPolicy(X509Certificate2Collection? authorities)
    {
        if (authorities is not { Count: > 0 })
            return null;
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // Neither lists nor responders of a cluster's own authority exist, and a CNI call must not go and look for them.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    // .NET checks chain and name; only where it finds fault is there something to decide.
    private static RemoteCertificateValidationCallback Validation(KubernetesClientConfiguration configuration) => configuration.SkipTlsVerify
        ? static (_, _, _, _) => true
        : (_, _, chain, errors) => errors == SslPolicyErrors.None
            || (errors == SslPolicyErrors.RemoteCertificateChainErrors && EndsInAuthority(chain, configuration.SslCaCerts));

    // An authority that is an intermediate one is as good an anchor as a root: Go's clients take it, .NET misses the root above it.
    private static bool EndsInAuthority(X509Chain? chain, X509Certificate2Collection? authorities) =>
        chain is { ChainStatus.Length: > 0, ChainElements.Count: > 1 } && authorities is not null
        && Array.TrueForAll(chain.ChainStatus, s => s.Status == X509ChainStatusFlags.PartialChain)
        && authorities.Any(a => a.RawDataMemory.Span.SequenceEqual(chain.ChainElements[^1].Certificate.RawDataMemory.Span));

    private static SslStreamCertificateContext? ClientCertificate(KubernetesClientConfiguration configuration)
    {
        try
        {
            var (certificates, key) = configuration switch
            {
                { ClientCertificateData: { Length: > 0 } data, ClientCertificateKeyData: { Length: > 0 } keyData } => (FromBase64(data), FromBase64(keyData)),
                { ClientCertificateFilePath: { Length: > 0 } file, ClientKeyFilePath: { Length: > 0 } keyFile } => (File.ReadAllText(file), File.ReadAllText(keyFile)),
                _ => (null, null),
            };
            if (certificates is null)
                return null;
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificates);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(certificates, key), chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            throw new KubeConfigException($"cannot use the client certificate of the kubeconfig: {e.Message}", e);
        }
    }

    private static string FromBase64(string data) => Encoding.UTF8.GetString(Convert.FromBase64String(data));
}
