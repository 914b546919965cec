using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Svcwatcher;

/// <summary>The measurements in a cluster of one size.</summary>
internal sealed partial class SvcwatcherRun : IDisposable
{
    private const int Flips = 200, WarmUps = 20, RollRate = 50;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3), Resting = TimeSpan.FromSeconds(20);

    private readonly EmbeddedApiServer server;
    private readonly ServiceCluster cluster;
    private readonly SliceWrites writes;
    private readonly HttpClient http;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("danm-svcwatcher-");

    private SvcwatcherRun(EmbeddedApiServer server, int services, int interfaces)
    {
        this.server = server;
        cluster = new ServiceCluster(server.Store, services, interfaces);
        writes = new SliceWrites(server);
        http = TestCluster.Client(server.Url, server.CertificateAuthority.Certificate, server.AdminToken);
    }

    public static async Task<SvcwatcherFigures> MeasureAsync(int services, int interfaces)
    {
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        using var run = new SvcwatcherRun(server, services, interfaces);
        run.cluster.Seed();
        // What the seed leaves behind is not to be collected while something is measured.
        GC.Collect();
        var (first, _) = await run.StartAsync(_ => Task.FromResult(server.Store.Count("discovery.k8s.io/v1", "EndpointSlice") == run.cluster.Slices), keep: false);
        run.CheckSlices();
        run.writes.Clear();
        var (second, process) = await run.StartAsync(run.HasLookedAsync, keep: true);
        await using var _ = process;
        if (run.writes.All.Length > 0)
            throw new InvalidOperationException($"{run.writes.All.Length} slices were written again for nothing");
        var flips = await run.FlipAsync(process!.Id);
        var roll = await run.RollAsync(process);
        run.CheckSlices();
        return new SvcwatcherFigures(services, interfaces, run.cluster.Slices, first, second)
        {
            Flips = flips.Milliseconds, FlipWrites = flips.Writes, FlipCpu = flips.Cpu,
            RollSeconds = roll.Seconds, RollSyncs = roll.Syncs, RollWrites = roll.Writes, RollMostOfOne = roll.MostOfOne, RollCpu = roll.Cpu,
        };
    }

    public void Dispose()
    {
        http.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task<(StartFigures, ModeProcess?)> StartAsync(Func<int, Task<bool>> isDone, bool keep)
    {
        var kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
        var port = FreePort();
        using var own = Process.GetCurrentProcess();
        var (before, begun) = (own.TotalProcessorTime, Stopwatch.GetTimestamp());
        var process = ModeProcess.Start("svcwatcher", "--kubeconfig", kubeconfig, $"--metrics-bind-address=127.0.0.1:{port}");
        try
        {
            while (!await isDone(port))
            {
                if (Stopwatch.GetElapsedTime(begun) > Patience || process.HasExited)
                    throw new InvalidOperationException($"svcwatcher does not get ready:\n{process.Log}");
                await Task.Delay(50);
            }

            var (seconds, cpu) = (Stopwatch.GetElapsedTime(begun).TotalSeconds, RunningProcess.CpuSeconds(process.Id));
            own.Refresh();
            var serverCpu = (own.TotalProcessorTime - before).TotalSeconds;
            await Task.Delay(Resting);
            var figures = new StartFigures(seconds, cpu, serverCpu, RunningProcess.PeakMegabytes(process.Id), RunningProcess.ResidentMegabytes(process.Id));
            if (keep)
                return (figures, process);
            if (await process.StopAsync() != 0)
                throw new InvalidOperationException($"svcwatcher did not end well:\n{process.Log}");
            await process.DisposeAsync();
            return (figures, null);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether every Service was looked at, by the process's own metrics.</summary>
    private async Task<bool> HasLookedAsync(int port)
    {
        try
        {
            using var client = new HttpClient();
            var text = await client.GetStringAsync($"http://127.0.0.1:{port}/metrics");
            return Looks().Matches(text).Sum(m => double.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)) >= cluster.Services;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<(List<double> Milliseconds, int Writes, double Cpu)> FlipAsync(int process)
    {
        // The first ones find code that has never run.
        for (var i = 0; i < WarmUps; i++)
            await FlipOneAsync(i);
        var cpu = RunningProcess.CpuSeconds(process);
        var (milliseconds, count) = (new List<double>(), 0);
        for (var i = 0; i < Flips; i++)
        {
            // Of every Service in turn, and another Pod of it when its turn comes again: more than a second lies between.
            milliseconds.Add(await FlipOneAsync(WarmUps + i));
            count += writes.All.Length;
        }

        writes.Clear();
        await Task.Delay(2000);
        cpu = RunningProcess.CpuSeconds(process) - cpu;
        milliseconds.Sort();
        return (milliseconds, count + writes.All.Length, cpu * 1000 / Flips);
    }

    private async Task<double> FlipOneAsync(int pod)
    {
        writes.Clear();
        using var patch = new StringContent(ServiceCluster.StatusPatch(ready: false), Encoding.UTF8, new MediaTypeHeaderValue("application/merge-patch+json"));
        using var answer = await http.PatchAsync(cluster.PodPath(pod), patch);
        var answered = server.Requests.Now;
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        var written = await writes.FirstAsync(TimeSpan.FromSeconds(10));
        // A second write would come soon.
        await Task.Delay(30);
        return Math.Max(0, (written - answered).TotalMilliseconds);
    }

    private async Task<(double Seconds, int Syncs, int Writes, int MostOfOne, double Cpu)> RollAsync(ModeProcess process)
    {
        writes.Clear();
        var (cpu, begun, syncsBefore) = (RunningProcess.CpuSeconds(process.Id), Stopwatch.GetTimestamp(), Syncs(process));
        var leaving = Enumerable.Range(0, ServiceCluster.Rolling).ToArray();
        new Random(1).Shuffle(leaving);
        for (var i = 0; i < ServiceCluster.Rolling; i++)
        {
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds * RollRate < i)
                await Task.Delay(1);
            cluster.Come(i);
            cluster.Go(leaving[i]);
        }

        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await Task.Delay(3000);
        var mostOfOne = writes.All.Select(w => w.Slice).OfType<string>().CountBy(s => s).Max(s => s.Value);
        return (seconds, Syncs(process) - syncsBefore, writes.All.Length, mostOfOne, RunningProcess.CpuSeconds(process.Id) - cpu);
    }

    private static int Syncs(ModeProcess process) => Regex.Count(process.Log, $"Service {ServiceCluster.RollingNamespace}/{ServiceCluster.RollingService}: ");

    /// <summary>A figure is worth nothing if the work was not done.</summary>
    private void CheckSlices()
    {
        var addresses = server.Store.List("discovery.k8s.io/v1", "EndpointSlice").SelectMany(s => s.At("endpoints") as JsonArray ?? [])
            .Select(e => $"{e.At("targetRef", "namespace")}/{e.At("targetRef", "name")} {e.At("addresses")![0]}").ToHashSet();
        var wanted = server.Store.List("danm.io/v1", "DanmEp")
            .Select(e => $"{e.At("metadata", "namespace")}/{e.At("spec", "Pod")} {e.At("spec", "Interface", "Address").String()!.Split('/')[0]}").ToHashSet();
        if (!addresses.SetEquals(wanted))
            throw new InvalidOperationException($"{addresses.Count} addresses are published, {wanted.Count} are there");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex("""^controller_runtime_reconcile_total\{[^}]*controller="services"[^}]*\} (\S+)""", RegexOptions.Multiline)]
    private static partial Regex Looks();
}
