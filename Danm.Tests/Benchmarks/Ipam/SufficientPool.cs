using Danm.Api;
using Danm.Kube;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>
/// A thousand claims into exactly a thousand addresses, and the same claims into a /16. Both are over in the blink of an eye, so they are
/// run several times, each time on a server of their own, in turn, and the middle counts.
/// </summary>
internal static class SufficientPool
{
    private const int Claims = 1000;

    /// <param name="start">Starts a server that has nothing yet.</param>
    /// <param name="processes">The processes of such a server.</param>
    /// <param name="callers">How many at a time.</param>
    /// <param name="rounds">How often.</param>
    public static async Task<(ContestResult Exact, ContestResult Ample, double Ratio)> RunAsync(
        Func<Task<ITestCluster>> start, Func<ITestCluster, IReadOnlyList<int>> processes, int callers, int rounds)
    {
        var (exact, ample) = (new List<ContestResult>(), new List<ContestResult>());
        for (var round = 1; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"1,000 claims, round {round} of {rounds}");
            await using var cluster = await start();
            await cluster.ApplyAsync(Path.Combine(DanmBinary.Repository, "manifests", "crds"));
            var contest = new Contest(callers, TimeSpan.FromSeconds(20), Claims);
            // All that either of them does: also creates that are refused, and lists. A server looks at all its objects for a list, so none stay.
            await RunAsync(new DanmWay("warm-up", "10.0.0.0/9", "warm0"), 2 * Claims);
            await RunAsync(new DanmWay("warm-up", "10.0.0.0/20", "warm1", "10.0.1.0", "10.0.1.199"), 200);
            (await cluster.Http.DeleteAsync(ResourcePath.Danm(ApiNames.IPAllocations, null).ToString())).EnsureSuccessStatusCode();
            exact.Add(await RunAsync(new DanmWay("1,000 claims, 1,000 addresses", "10.0.0.0/20", "exact", "10.0.1.0", "10.0.4.231"), Claims));
            ample.Add(await RunAsync(new DanmWay("1,000 claims, a /16", "10.0.0.0/16", "ample"), Claims));
            var (e, a) = (exact[^1], ample[^1]);
            await Console.Error.WriteLineAsync($"  {e.Elapsed.TotalMilliseconds:0} ms ({e.ConflictsEach:0.00} conflicts, {e.BytesEach:0} B, {e.CpuMillisecondsEach:0.00}+{e.CallersCpuMillisecondsEach:0.00} ms CPU), "
                + $"{a.Elapsed.TotalMilliseconds:0} ms ({a.CpuMillisecondsEach:0.00}+{a.CallersCpuMillisecondsEach:0.00} ms CPU): {e.Elapsed / a.Elapsed:0.00}");

            Task<ContestResult> RunAsync(IAllocationWay way, int most) => (contest with { Most = most }).RunAsync(way, cluster, processes(cluster));
        }

        var ratios = exact.Zip(ample, (e, a) => e.Elapsed / a.Elapsed).Order().ToArray();
        return (Middle(exact), Middle(ample), ratios[rounds / 2]);
    }

    private static ContestResult Middle(List<ContestResult> results) => results.OrderBy(r => r.Elapsed).ElementAt(results.Count / 2);
}
