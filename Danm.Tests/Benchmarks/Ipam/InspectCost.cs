using System.Globalization;
using Danm.Api;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>
/// What the executable needs to show a million allocations in a /8, ten to a Pod, of which one Pod in a hundred is gone. The server is
/// in this process and shares the machine's cores with it.
/// </summary>
internal static class InspectCost
{
    private const int Million = 1_000_000;
    private const int AddressesPerPod = 10;
    private const double MaxSeconds = 10;
    private const double MaxMegabytes = 200;

    public static async Task<IReadOnlyList<Aim>> MillionAsync()
    {
        if (!File.Exists(DanmBinary.Path))
            return [new("danm ipam inspect of a million, s (nothing published)", null, Most: MaxSeconds)];
        await Console.Error.WriteLineAsync("danm ipam inspect of a million allocations");
        await using var server = await FullPools.StartAsync();
        var way = new DanmWay("", "10.0.0.0/8", "million");
        server.Store.Create(Objects.Network("DanmNet", "million", """{"NetworkID":"million","Options":{"host_device":"million","cidr":"10.0.0.0/8"}}"""));
        var owners = Owners(server.Store, way);
        FullPools.Seed(server, Million, i => way.Claim(0) with { Owner = owners[i / AddressesPerPod] });
        var folder = Directory.CreateTempSubdirectory("danm-inspect-");
        try
        {
            var kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
            await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
            using var process = new MeasuredProcess(folder.FullName);
            var aims = new List<Aim>();
            foreach (var args in (string[][])[[], ["danmnet/million"], ["danmnet/million", "--owners"]])
            {
                var cost = await process.RunAsync([DanmBinary.Path, "ipam", "inspect", "--kubeconfig", kubeconfig, .. args], new Dictionary<string, string>(), "");
                if (cost.ExitCode != 0 || !cost.Stdout.Contains("15777214", StringComparison.Ordinal) || !cost.Stdout.Contains("10,000 IPv4", StringComparison.Ordinal))
                    throw new InvalidOperationException($"inspect went wrong: {cost.ExitCode} {cost.Stdout[^Math.Min(1000, cost.Stdout.Length)..]}");
                var name = string.Join(' ', (string[])["danm ipam inspect", .. args]);
                // Of a list with a line for each, only the memory has an aim: who asks for a million lines waits for them.
                aims.Add(new Aim($"{name}, s", cost.Wall.TotalSeconds, Most: args.Contains("--owners") ? null : MaxSeconds));
                aims.Add(new Aim($"{name}, its own CPU s", cost.Cpu.TotalSeconds));
                aims.Add(new Aim($"{name}, peak MB", cost.PeakKilobytes * 1024 / 1e6, Most: MaxMegabytes));
            }

            return aims;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A Pod each, with the UID that the server gave it; every hundredth there never was.</summary>
    private static List<IPAllocationOwner> Owners(ApiStore store, DanmWay way)
    {
        var owners = Enumerable.Range(0, Million / AddressesPerPod).Select(i => way.Claim(i).Owner).ToList();
        store.Load("v1", "Pod", owners.Where((_, i) => i % 100 != 0).Select(o => Objects.Pod(o.Pod!, null, o.Namespace!)));
        var uids = store.List("v1", "Pod").ToDictionary(p => p.At("metadata", "name").String()!, p => p.At("metadata", "uid").String()!);
        return owners.ConvertAll(o => o with { PodUid = uids.GetValueOrDefault(o.Pod!, o.PodUid!) });
    }
}
