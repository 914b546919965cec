using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace Danm.Tests.ApiServer.Clusters;

/// <summary>The cluster that integration tests run against: a real one where KUBEBUILDER_ASSETS points at its programs.</summary>
public static class TestCluster
{
    public static async Task<ITestCluster> StartAsync() => Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets
        ? await EnvtestCluster.StartAsync(assets)
        : await EmbeddedCluster.StartAsync();

    /// <summary>A client that trusts this authority alone.</summary>
    internal static HttpClient Client(Uri url, X509Certificate2 authority, string token)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { authority },
        };
        return new HttpClient(handler)
        {
            BaseAddress = url,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
    }
}

/// <summary>The embedded server as a test cluster.</summary>
public sealed class EmbeddedCluster : ITestCluster
{
    private EmbeddedCluster(EmbeddedApiServer server)
    {
        Server = server;
        Http = TestCluster.Client(server.Url, server.CertificateAuthority.Certificate, server.AdminToken);
    }

    public EmbeddedApiServer Server { get; }

    public Uri Url => Server.Url;

    public HttpClient Http { get; }

    public static async Task<EmbeddedCluster> StartAsync(ApiServerOptions? options = null) => new(await EmbeddedApiServer.StartAsync(options));

    public string Kubeconfig(Security.KubeconfigOptions? options = null) => Server.Kubeconfig(options);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}
