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

    /// <summary>In a network that has a million, and in an empty one of the same server: what the server pays for its size is not ours.</summary>
    public static async Task<IReadOnlyList<Aim>> MillionAsync()
    {
        await Console.Error.WriteLineAsync("a million allocations in a /8");
        await using var server = await StartAsync();
        using var api = TestClient.Connect(server.Kubeconfig(), TimeSpan.FromSeconds(60));
        var (empty, million) = (new DanmWay("", "10.0.0.0/8", "empty"), new DanmWay("", "10.0.0.0/8", "million"));
        Seed(server, Million, i => million.Claim(1_000_000 + i));
        await ClaimAsync(server, api, new DanmWay("", "10.0.0.0/8", "warm"), 2 * Claims);
        var inEmpty = await ClaimAsync(server, api, empty, Claims);
        var inMillion = await ClaimAsync(server, api, million, Claims);
        return
        [
            new("requests per allocation, empty /8, mean", inEmpty.Requests.Average()),
            new("requests per allocation, a million in the /8, mean", inMillion.Requests.Average(), Most: 1.1),
            new("CPU ms per allocation (client and server), empty /8", inEmpty.CpuMilliseconds),
            new("the same with a million in the /8, as a multiple", inMillion.CpuMilliseconds / inEmpty.CpuMilliseconds, Most: 1.2),
        ];
    }

    public static async Task<IReadOnlyList<Aim>> NearlyFullAsync()
    {
        await Console.Error.WriteLineAsync("95 % of a /12");
        await using var server = await StartAsync();
        using var api = TestClient.Connect(server.Kubeconfig(), TimeSpan.FromSeconds(60));
        var full = new DanmWay("", "10.0.0.0/12", "full");
        Seed(server, (int)((double)full.Claim(0).Pool.Size * 0.95), i => full.Claim(1_000_000 + i));
        var (requests, _) = await ClaimAsync(server, api, full, Claims);
        return [new("requests per allocation, /12 at 95 %, median", requests.Order().ElementAt(Claims / 2), Most: 20)];
    }

    internal static Task<EmbeddedApiServer> StartAsync() =>
        EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests", "crds")] });

    /// <summary>Addresses at random places, so that chance meets them as it would in a cluster.</summary>
    internal static void Seed(EmbeddedApiServer server, int count, Func<int, AddressClaim> claim)
    {
        var pool = claim(0).Pool;
        var places = new HashSet<uint>(count);
        var random = new Random(1);
        while (places.Count < count)
            places.Add((uint)random.NextInt64((long)pool.Size));
        AllocationSeed.Load(server.Store, places.Select((place, i) => (claim(i), pool.At(place))));
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
