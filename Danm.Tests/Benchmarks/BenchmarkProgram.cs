using System.Globalization;
using Danm.Tests.Benchmarks.Ipam;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks;

/// <summary>
/// What Danm costs, as tables that are read as they are and are Markdown too, for README and docs: <c>processes</c> (whole processes of
/// the published executable) <c>ipam</c> (ways of giving out addresses, beside each
/// other), <c>node</c> (an idle netwatcher in a large cluster), <c>webhook</c> (reviews at a steady rate) and <c>svcwatcher</c> (starts,
/// changes and roll-outs in clusters of several sizes). Without a name all.
/// </summary>
/// <remarks>
/// Options: <c>--markdown FILE</c>; of processes <c>--runs N</c> (30), <c>--warm-ups N</c> (5); of ipam <c>--seconds N</c> (20) for each
/// way and for webhook, <c>--plot FILE</c>, <c>--rounds N</c> (7) of a thousand claims into a pool that just suffices, <c>--sufficient</c> for those alone;
/// of svcwatcher <c>--largest N</c> (50000) interfaces.
/// </remarks>
public static class BenchmarkProgram
{
    /// <returns>0; 1 if a figure misses its aim; 2 if nothing could be measured.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        string[] names = ["processes", "ipam", "node", "webhook", "svcwatcher"];
        var asked = names.Intersect(args).DefaultIfEmpty().First();
        var (processes, ipam, node) = (asked is null or "processes", asked is null or "ipam", asked is null or "node");
        var (webhook, svcwatcher) = (asked is null or "webhook", asked is null or "svcwatcher");
        if ((processes || node || webhook || svcwatcher) && !File.Exists(DanmBinary.Path))
        {
            await Console.Error.WriteLineAsync($"error: {DanmBinary.Path} is missing: publish it first");
            return 2;
        }

        var reports = new List<(string Markdown, bool MeetsAims)>();
        if (processes)
            reports.Add(await ProcessBenchmark.RunAsync(Number("--runs", 30), Number("--warm-ups", 5)));
        if (ipam)
            reports.Add(await IpamBenchmark.RunAsync(Number("--seconds", 20), Option("--plot"), Number("--rounds", 7), args.Contains("--sufficient")));
        if (node)
            reports.Add(await Node.NodeCostBenchmark.RunAsync(Number("--seconds", 300)));
        if (webhook)
            reports.Add(await Webhook.WebhookBenchmark.RunAsync(Number("--seconds", 20)));
        if (svcwatcher)
            reports.Add(await Svcwatcher.SvcwatcherBenchmark.RunAsync(Number("--largest", 50_000)));
        var report = string.Join('\n', reports.Select(r => r.Markdown));
        Console.Write(report);
        if (Option("--markdown") is { } file)
            await File.WriteAllTextAsync(file, report);
        return reports.TrueForAll(r => r.MeetsAims) ? 0 : 1;

        string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : null;

        int Number(string name, int otherwise) => Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
    }
}
