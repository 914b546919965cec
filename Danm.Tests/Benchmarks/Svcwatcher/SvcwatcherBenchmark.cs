using System.Globalization;

namespace Danm.Tests.Benchmarks.Svcwatcher;

/// <summary>
/// What <c>danm svcwatcher</c> takes: to start in clusters of several sizes, to publish that one Pod is ready or not, and to follow the
/// roll-out of a large Service. The published executable against the embedded API server, which has the machine's other half.
/// </summary>
internal static class SvcwatcherBenchmark
{
    private const double MostStartSeconds = 15, MostMegabytes = 400, MostMilliseconds = 50;

    private static readonly (int Services, int Interfaces)[] Sizes = [(100, 1000), (1000, 10_000), (1000, 50_000)];

    /// <param name="largest">The most interfaces; larger clusters are left out.</param>
    public static async Task<(string Markdown, bool MeetsAims)> RunAsync(int largest)
    {
        var runs = new List<SvcwatcherFigures>();
        foreach (var (services, interfaces) in Sizes.Where(s => s.Interfaces <= largest))
        {
            await Console.Error.WriteLineAsync($"{interfaces:#,0} interfaces in {services:#,0} Services");
            runs.Add(await SvcwatcherRun.MeasureAsync(services, interfaces));
        }

        var text = Report.Table(
            [
                ["svcwatcher starts", "Services", "slices", "all written s", "its CPU s", "server's CPU s", "peak MB", "at rest MB", "starts again s", "its CPU s", "peak MB", "at rest MB"],
                .. runs.Select(r => (string[])
                [
                    $"{r.Interfaces:#,0} DanmEps", $"{r.Services:#,0}", $"{r.Slices:#,0}", F(r.First.Seconds), F(r.First.Cpu), F(r.First.ServerCpu), F(r.First.PeakMegabytes), F(r.First.RestMegabytes),
                    F(r.Second.Seconds), F(r.Second.Cpu), F(r.Second.PeakMegabytes), F(r.Second.RestMegabytes),
                ]),
            ]) + "\n" + Report.Table(
            [
                ["one Pod at a time, ready or not", "changes", "p50 ms", "p99 ms", "most ms", "writes", "CPU ms each"],
                .. runs.Select(r => (string[])[$"{r.Interfaces:#,0} DanmEps", $"{r.Flips.Count}", F(r.FlipAt(0.5)), F(r.FlipAt(0.99)), F(r.Flips[^1]), $"{r.FlipWrites}", F(r.FlipCpu)]),
            ]) + "\n" + Report.Table(
            [
                ["a Service of 1,000 Pods anew", "s", "syncs", "slices written", "most writes of one", "CPU s"],
                .. runs.Select(r => (string[])[$"{r.Interfaces:#,0} DanmEps", F(r.RollSeconds), $"{r.RollSyncs}", $"{r.RollWrites}", $"{r.RollMostOfOne}", F(r.RollCpu)]),
            ]);
        return (
            text + FormattableString.Invariant(
                $"\nHeadless Services of both families, the interfaces have IPv4, one Pod each of 4 KB, a tenth of the Services a namespace; besides one Service of 1,000 Pods. \"All written\" is from the start of the process to the last slice in the store, \"starts again\" to the last Service looked at with nothing to write. A change counts from the answer to the kubelet's PATCH to the request that writes the slice. Aims: {MostStartSeconds} s, {MostMegabytes} MB, p99 under {MostMilliseconds} ms and one write a change; one sync a second, and in each no slice twice. {Report.Machine()}\n"),
            runs.TrueForAll(IsWell));

        static string F(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
    }

    private static bool IsWell(SvcwatcherFigures run) =>
        run.First.Seconds < MostStartSeconds && run.Second.Seconds < MostStartSeconds && run.First.PeakMegabytes < MostMegabytes && run.Second.PeakMegabytes < MostMegabytes
        && run.FlipAt(0.99) < MostMilliseconds && run.FlipWrites == run.Flips.Count
        // One when it begins, and one for what came last.
        && run.RollSyncs <= Math.Ceiling(run.RollSeconds) + 2 && run.RollMostOfOne <= run.RollSyncs;
}
