using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Webhook;

/// <summary>What <c>danm webhook</c> takes for its answers while it may use one processor: reviews at a steady rate over TLS.</summary>
internal static class WebhookBenchmark
{
    private const int Rate = 500, WarmUpSeconds = 3;
    private const double MostMilliseconds = 10, MostMegabytes = 80;

    public static async Task<(string Markdown, bool MeetsAims)> RunAsync(int seconds)
    {
        var folder = Directory.CreateTempSubdirectory("danm-webhook-").FullName;
        using var authority = new CertificateAuthority();
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        ReviewMix.Seed(server.Store);
        try
        {
            using var process = Start(folder, authority, server, out var port);
            try
            {
                using var load = new ReviewLoad(new Uri($"https://127.0.0.1:{port}"), authority.Certificate);
                await ReadyAsync(process, load);
                await load.SendAsync(Rate, TimeSpan.FromSeconds(WarmUpSeconds));
                var cpu = RunningProcess.CpuSeconds(process.Id);
                var answers = (await load.SendAsync(Rate, TimeSpan.FromSeconds(seconds))).Order().ToArray();
                cpu = RunningProcess.CpuSeconds(process.Id) - cpu;
                return Report(answers, cpu, RunningProcess.ResidentMegabytes(process.Id), RunningProcess.PeakMegabytes(process.Id), seconds);
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (string, bool) Report(double[] answers, double cpu, double resident, double peak, int seconds)
    {
        var (middle, late) = (answers[answers.Length / 2], answers[(int)(answers.Length * 0.99)]);
        string[][] rows =
        [
            ["webhook on one processor", "p50 ms", "p99 ms", "most ms", "CPU of one", "CPU ms a review", "resident MB", "peak MB"],
            [$"{Rate} reviews a second", F(middle), F(late), F(answers[^1]), $"{cpu / seconds * 100:0} %", F(cpu * 1000 / answers.Length), F(resident), F(peak)],
        ];
        return (
            Benchmarks.Report.Table(rows) + FormattableString.Invariant(
                $"\n{answers.Length:#,0} reviews in {seconds} s after {WarmUpSeconds} s of the same: networks of all kinds made and changed, one in five denied, one in five a tenant's, in a cluster of 400 networks; TLS, HTTP/1.1, connections kept. Aims: p99 under {MostMilliseconds} ms, under {MostMegabytes} MB resident. {Benchmarks.Report.Machine()}\n"),
            late < MostMilliseconds && resident < MostMegabytes);

        static string F(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
    }

    private static Process Start(string folder, CertificateAuthority authority, EmbeddedApiServer server, out int port)
    {
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        using var certificate = authority.IssueServer("127.0.0.1");
        using var key = certificate.GetECDsaPrivateKey()!;
        var (kubeconfig, certificateFile, keyFile) = (Path.Combine(folder, "kubeconfig"), Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        File.WriteAllText(kubeconfig, server.Kubeconfig());
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        // Denials are logged: the log goes where a container's goes, which is no file of ours.
        return Process.Start(new ProcessStartInfo("/bin/sh",
        [
            "-c", "exec taskset -c 0 \"$@\" >/dev/null 2>&1", "sh", DanmBinary.Path, "webhook", "--kubeconfig", kubeconfig, "--tls-cert-bundle", certificateFile,
            "--tls-private-key-file", keyFile, "--bind-address=127.0.0.1", $"--bind-port={port}", "--health-probe-bind-address=0", "--metrics-bind-address=0",
        ]))!;
    }

    private static async Task ReadyAsync(Process process, ReviewLoad load)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(100))
        {
            try
            {
                await load.SendAsync(10, TimeSpan.FromSeconds(1));
                return;
            }
            catch (Exception e) when (e is HttpRequestException or InvalidOperationException && !process.HasExited && DateTime.UtcNow < deadline)
            {
                // It does not listen yet, or has not read the networks.
            }
        }
    }
}
