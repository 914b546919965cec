using System.Globalization;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>
/// Our way of giving out addresses beside two others, on the same API server: the embedded one in a process of its own, or a real one
/// where KUBEBUILDER_ASSETS points at its programs. Then what a nearly full, an exactly sufficient and a huge pool cost.
/// </summary>
internal static class IpamBenchmark
{
    private const int Callers = 64;

    /// <param name="seconds">How long each way may take.</param>
    /// <param name="plot">Where to write the plot; null: nowhere.</param>
    /// <param name="rounds">How often the claims into a pool that just suffices are repeated.</param>
    /// <param name="sufficientOnly">Only those.</param>
    public static async Task<(string Markdown, bool MeetsAims)> RunAsync(int seconds, string? plot, int rounds, bool sufficientOnly)
    {
        var (exact, ample, ratio) = await SufficientPool.RunAsync(StartAsync, ProcessIds, Callers, rounds);
        var sufficient = new Aim("1,000 claims into 1,000 addresses, time as a multiple of a /16's", ratio, Most: 3);
        if (sufficientOnly)
            return (Markdown([exact, ample], [sufficient], seconds, Real), sufficient.IsMet != false);

        await using var cluster = await StartAsync();
        await cluster.ApplyAsync(Path.Combine(DanmBinary.Repository, "manifests", "crds"));
        await cluster.ApplyAsync(Rivals.Manifest);
        var contest = new Contest(Callers, TimeSpan.FromSeconds(seconds), 10_000);

        await RunAsync(new DanmWay("warm-up", "10.0.0.0/9", "warm0"), new Contest(Callers, TimeSpan.FromSeconds(5), 2_000));
        var ours = await RunAsync(new DanmWay("one object per address (Danm), /16", "10.0.0.0/16", "race16"));
        var oursLarge = await RunAsync(new DanmWay("one object per address (Danm), /9", "10.0.0.0/9", "race9"));
        var bitmap = await RunAsync(new BitmapWay("bitmap in one object, /16", "bitmap16", 1 << 16));
        var bitmapLarge = await RunAsync(new BitmapWay("bitmap in one object, 8M addresses", "bitmap9", 1 << 23));
        var polled = await RunAsync(new PoolObjectWay("map in one object, Lease, polled each 500 ms", "polled", TimeSpan.FromMilliseconds(500)));
        var queued = await RunAsync(new PoolObjectWay("map in one object, Lease, ideal queue", "queued", null));
        Aim[] aims =
        [
            new("faster than the map under a Lease with an ideal queue, times", ours.PerSecond / queued.PerSecond, Least: 10),
            new("faster than the bitmap of 8M addresses, times", oursLarge.PerSecond / bitmapLarge.PerSecond, Least: 100),
            new("allocations a second on a real server", Real ? ours.PerSecond : null, Least: 400),
            new("bytes on the wire per allocation", ours.BytesEach, Most: 4096),
            new("p99 as a multiple of p50", ours.P99 / ours.P50, Most: 10),
            sufficient,
            .. await FullPools.MillionAsync(),
            .. await FullPools.NearlyFullAsync(),
            .. await InspectCost.MillionAsync(),
        ];
        ContestResult[] contests = [ours, oursLarge, bitmap, bitmapLarge, polled, queued, exact, ample];
        if (plot is not null)
            await File.WriteAllTextAsync(plot, Plot.Bars($"Allocations a second, {Callers} callers at once, one network", [.. contests.Take(6).Select(c => (c.Name, c.PerSecond))]));
        return (Markdown(contests, aims, seconds, Real), aims.All(a => a.IsMet != false));

        async Task<ContestResult> RunAsync(IAllocationWay way, Contest? other = null)
        {
            await Console.Error.WriteLineAsync(way.Name);
            return await (other ?? contest).RunAsync(way, cluster, ProcessIds(cluster));
        }
    }

    private static bool Real => Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 };

    private static async Task<ITestCluster> StartAsync() => Real
        ? await TestCluster.StartAsync()
        : await EmbeddedProcess.StartAsync();

    private static IReadOnlyList<int> ProcessIds(ITestCluster cluster) => cluster switch
    {
        EnvtestCluster real => real.ProcessIds,
        EmbeddedProcess embedded => embedded.ProcessIds,
        _ => [],
    };

    private static string Markdown(IReadOnlyList<ContestResult> contests, IReadOnlyList<Aim> aims, int seconds, bool real)
    {
        List<string[]> races = [["way", "allocations", "a second", "p50 ms", "p99 ms", "conflicts each", "bytes each", "server CPU ms each", "callers' CPU ms each"]];
        races.AddRange(contests.Select(c => (string[])
            [c.Name, $"{c.Done}", Number(c.PerSecond), Number(c.P50), Number(c.P99), Number(c.ConflictsEach), Number(c.BytesEach), Number(c.CpuMillisecondsEach), Number(c.CallersCpuMillisecondsEach)]));
        List<string[]> figures = [["figure", "measured", "aim", ""]];
        figures.AddRange(aims.Select(a => (string[])
        [
            a.Name, a.Value is { } v ? Number(v) : "not measured", a.Least is { } least ? $"≥ {Number(least)}" : a.Most is { } most ? $"≤ {Number(most)}" : "",
            a.IsMet switch { true => "met", false => "missed", null => "" },
        ]));
        return $"{Report.Table(races)}\n{Report.Table(figures)}\n{Callers} callers at once against {(real ? "kube-apiserver and etcd" : "the embedded API server")}, "
            + $"each way for at most {seconds} s or 10,000 allocations. {Report.Machine()}\n";
    }

    private static string Number(double value) => value switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}

/// <summary>A figure and what it should be.</summary>
internal sealed record Aim(string Name, double? Value, double? Least = null, double? Most = null)
{
    /// <summary>Null where there is nothing to meet, or it could not be measured here.</summary>
    public bool? IsMet => Value is not { } value || (Least is null && Most is null) ? null : !(value < Least) && !(value > Most) && !double.IsNaN(value);
}
