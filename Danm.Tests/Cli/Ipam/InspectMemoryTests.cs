using Danm.Tests.ApiServer;
using Danm.Tests.Benchmarks;
using Danm.Tests.Benchmarks.Ipam;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Cli.Ipam;

/// <summary>The executable's <c>ipam inspect</c> of a network that does not fit into its memory.</summary>
[NonParallelizable]
public sealed class InspectMemoryTests
{
    private const int Allocations = 100_000;
    private const double MaxMegabytes = 100;

    [TestCase]
    [TestCase("--owners")]
    public async Task Memory_is_that_of_a_page_and_of_what_looks_leaked(params string[] args)
    {
        DanmBinary.Require();
        await using var server = await FullPools.StartAsync();
        var way = new DanmWay("", "10.0.0.0/8", "big");
        server.Store.Create(Objects.Network("DanmNet", "big", """{"NetworkID":"big","Options":{"host_device":"big","cidr":"10.0.0.0/8"}}"""));
        // Without a Pod: all look leaked, which needs the most.
        FullPools.Seed(server, Allocations, way.Claim);
        var folder = Directory.CreateTempSubdirectory("danm-inspect-");
        try
        {
            var kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
            await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
            using var process = new MeasuredProcess(folder.FullName);

            var cost = await process.RunAsync([DanmBinary.Path, "ipam", "inspect", "dnet/big", "--kubeconfig", kubeconfig, .. args], new Dictionary<string, string>(), "");

            cost.ExitCode.Should().Be(0, cost.Stdout);
            cost.Stdout.Should().MatchRegex(@"\nDanmNet/default/big +<1% +100000 +16677214 +16777214 +0 +0 +100000 +10\.0\.0\.1-10\.255\.255\.254\n");
            cost.Stdout.Split('\n').Count(l => l.EndsWith(" pod gone", StringComparison.Ordinal)).Should().Be(args.Length == 0 ? 0 : Allocations);
            (cost.PeakKilobytes * 1024 / 1e6).Should().BeLessThan(MaxMegabytes);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
