using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Clusters;

/// <summary>
/// etcd and kube-apiserver as envtest runs them: loopback ports, throw-away certificates, a token file, no controllers
/// (so nothing fills a namespace with a service account, collects garbage or finishes the deletion of a namespace).
/// </summary>
public sealed class EnvtestCluster : ITestCluster
{
    private readonly string folder = Directory.CreateTempSubdirectory("danm-envtest-").FullName;
    private readonly CertificateAuthority authority = new();
    private readonly string token = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly List<Process> processes = [];

    public Uri Url { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>etcd's and kube-apiserver's.</summary>
    public IReadOnlyList<int> ProcessIds => [.. processes.Select(p => p.Id)];

    public static async Task<EnvtestCluster> StartAsync(string assets)
    {
        var cluster = new EnvtestCluster();
        try
        {
            await cluster.RunAsync(assets);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public string Kubeconfig(KubeconfigOptions? options = null)
    {
        options ??= new KubeconfigOptions();
        if (options is { Token: null, TokenFile: null, ClientCertificate: null })
            options = options with { Token = token };
        return Security.Kubeconfig.Write(new UriBuilder("https", options.Host, options.Port ?? Url.Port).Uri, options.CertificateAuthorityPem ?? authority.Pem, options);
    }

    private async Task RunAsync(string assets)
    {
        var (client, peer, secure) = (FreePort(), FreePort(), FreePort());
        using var server = authority.IssueServer("127.0.0.1", "localhost");
        WriteKeyPair("server", server);
        await File.WriteAllTextAsync(InFolder("ca.crt"), authority.Pem);
        await File.WriteAllTextAsync(InFolder("tokens.csv"), $"{token},admin,admin,system:masters\n");
        using (var signing = RSA.Create(2048))
            await File.WriteAllTextAsync(InFolder("sa.key"), signing.ExportPkcs8PrivateKeyPem());

        Run(assets, "etcd", "--data-dir", InFolder("etcd"), "--listen-client-urls", $"http://127.0.0.1:{client}",
            "--advertise-client-urls", $"http://127.0.0.1:{client}", "--listen-peer-urls", $"http://127.0.0.1:{peer}", "--unsafe-no-fsync");
        Run(assets, "kube-apiserver", "--etcd-servers", $"http://127.0.0.1:{client}", "--bind-address", "127.0.0.1", "--secure-port", $"{secure}",
            "--tls-cert-file", InFolder("server.crt"), "--tls-private-key-file", InFolder("server.key"), "--client-ca-file", InFolder("ca.crt"),
            "--token-auth-file", InFolder("tokens.csv"), "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/112",
            "--service-account-issuer", "https://localhost", "--service-account-signing-key-file", InFolder("sa.key"),
            "--service-account-key-file", InFolder("sa.key"), "--disable-admission-plugins", "ServiceAccount", "--allow-privileged=true");

        Url = new Uri($"https://127.0.0.1:{secure}");
        Http = TestCluster.Client(Url, authority.Certificate, token);
        await ReadyAsync();
    }

    private async Task ReadyAsync()
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < deadline; await Task.Delay(100))
        {
            if (processes.FirstOrDefault(p => p.HasExited) is { } dead)
                throw new InvalidOperationException($"{Path.GetFileName(dead.StartInfo.FileName)} ended with {dead.ExitCode}");
            try
            {
                using var ready = await Http.GetAsync("/readyz");
                using var place = await Http.GetAsync("/api/v1/namespaces/default");
                if (ready.IsSuccessStatusCode && place.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }
        throw new TimeoutException("kube-apiserver was not ready within 60 s");
    }

    private void Run(string assets, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(assets, program), arguments)
        {
            RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder,
        };
        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        processes.Add(process);
    }

    private void WriteKeyPair(string name, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(InFolder(name + ".crt"), certificate.ExportCertificatePem());
        File.WriteAllText(InFolder(name + ".key"), key.ExportPkcs8PrivateKeyPem());
    }

    private string InFolder(string name) => Path.Combine(folder, name);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        foreach (var process in Enumerable.Reverse(processes))
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
