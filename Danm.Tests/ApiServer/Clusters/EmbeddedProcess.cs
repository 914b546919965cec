using System.Diagnostics;
using Danm.Kube;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Clusters;

/// <summary>The embedded server in a process of its own, so that its processor time can be told from its callers'.</summary>
public sealed class EmbeddedProcess : ITestCluster
{
    private readonly string folder = Directory.CreateTempSubdirectory("danm-apiserver-").FullName;
    private readonly string kubeconfig;
    private readonly Process process;

    private EmbeddedProcess()
    {
        kubeconfig = Path.Combine(folder, "kubeconfig");
        var program = Environment.ProcessPath!;
        string[] self = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(EmbeddedProcess).Assembly.Location] : [];
        process = Process.Start(new ProcessStartInfo(program, [.. self, "apiserver", "0", kubeconfig]) { RedirectStandardOutput = true })!;
    }

    public Uri Url { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>The processes that do the server's work.</summary>
    public IReadOnlyList<int> ProcessIds => [process.Id];

    public static async Task<EmbeddedProcess> StartAsync()
    {
        var cluster = new EmbeddedProcess();
        try
        {
            if (await cluster.process.StandardOutput.ReadLineAsync() is not { } line || !line.StartsWith("serving ", StringComparison.Ordinal))
                throw new InvalidOperationException("the embedded server did not start");
            var configuration = KubeConfig.Load(cluster.kubeconfig);
            cluster.Url = new Uri(configuration.Host);
            cluster.Http = TestCluster.Client(cluster.Url, configuration.SslCaCerts[0], configuration.AccessToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The administrator's, on the server's own port.</summary>
    public string Kubeconfig(KubeconfigOptions? options = null) =>
        options is null ? File.ReadAllText(kubeconfig) : throw new NotSupportedException("this server is known by its own kubeconfig only");

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
