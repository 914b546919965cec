using System.Diagnostics;
using Danm.Ipam;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Ipam;
using Danm.Tests.Kube;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>What one more allocation costs where there are a million: one after the other, against a server in this process, whose store they are put into.</summary>
internal static class FullPools
{
    private const int Million = 1_000_000;
    private const int Claims = 1001;

    public static async Task<IReadOnlyList<Aim>> MeasureAsync()
    {
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests", "crds")] });
        using var api = TestClient.Connect(server.Kubeconfig(), TimeSpan.FromSeconds(60));
        await ClaimAsync(server, api, new DanmWay("", "10.0.0.0/8", "warm"), 500);
        var empty = await ClaimAsync(server, api, new DanmWay("", "10.0.0.0/8", "empty"), Claims);

        await Console.Error.WriteLineAsync("a million allocations in a /8");
        Seed(server, new DanmWay("", "10.0.0.0/8", "million"), Million);
        var million = await ClaimAsync(server, api, new DanmWay("", "10.0.0.0/8", "million"), Claims);

        await Console.Error.WriteLineAsync("95 % of a /12");
        var full = new DanmWay("", "10.0.0.0/12", "full");
        Seed(server, full, (int)((double)full.Claim(0).Pool.Size * 0.95));
        var nearlyFull = await ClaimAsync(server, api, full, Claims);
        return
        [
            new("requests per allocation, empty /8, mean", empty.Requests.Average()),
            new("requests per allocation, a million in the /8, mean", million.Requests.Average(), Most: 1.1),
            new("CPU ms per allocation (client and server), empty /8", empty.CpuMilliseconds),
            new("the same with a million in the /8, as a multiple", million.CpuMilliseconds / empty.CpuMilliseconds, Most: 1.2),
            new("requests per allocation, /12 at 95 %, median", nearlyFull.Requests.Order().ElementAt(Claims / 2), Most: 20),
        ];
    }

    /// <summary>Addresses at random places, so that chance meets them as it would in a cluster.</summary>
    private static void Seed(EmbeddedApiServer server, DanmWay way, int count)
    {
        var pool = way.Claim(0).Pool;
        var places = new HashSet<uint>(count);
        var random = new Random(1);
        while (places.Count < count)
            places.Add((uint)random.NextInt64((long)pool.Size));
        AllocationSeed.Load(server.Store, places.Select((place, i) => (way.Claim(1_000_000 + i), pool.At(place))));
        GC.Collect();
    }

    private static async Task<(IReadOnlyList<int> Requests, double CpuMilliseconds)> ClaimAsync(EmbeddedApiServer server, ApiClient api, DanmWay way, int claims)
    {
        var requests = new List<int>(claims);
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        for (var i = 0; i < claims; i++)
        {
            server.Requests.Clear();
            await new AddressAllocator(api, _ => { }).AllocateAsync(AddressAllocator.Plan(way.Claim(i)), CancellationToken.None);
            requests.Add(server.Requests.Count());
        }

        return (requests, (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds / claims);
    }
}
