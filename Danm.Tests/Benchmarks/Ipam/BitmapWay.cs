using System.Numerics;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>
/// The original's: a network object holds a bitmap in base64. Read the object, set the lowest free bit, write it back under its
/// resource version; on a conflict again from the start, without a limit and without a pause.
/// </summary>
internal sealed class BitmapWay(string name, string id, int bits) : IAllocationWay
{
    private const string Objects = "/apis/rivals.danm.io/v1/namespaces/default/bitmaps";

    private RivalClient[] connections = [];

    public string Name => name;

    private string Path => $"{Objects}/{id}";

    public async Task PrepareAsync(ITestCluster cluster, int callers)
    {
        connections = Rivals.Connect(cluster, callers);
        var bitmap = new byte[bits / 8];
        (bitmap[0], bitmap[^1]) = (0x80, 0x01);
        await connections[0].CreateAsync(Objects, new Stored<Bitmap>("rivals.danm.io/v1", "Bitmap", new StoredMeta(id, "default"), new Bitmap(bitmap)), CancellationToken.None);
        foreach (var api in connections)
            await api.GetAsync<Stored<Bitmap>>(Path, CancellationToken.None);
    }

    public async Task<Allocation> AllocateAsync(int caller, int pod, CancellationToken cancellation)
    {
        var api = connections[caller];
        for (var conflicts = 0; ; conflicts++)
        {
            var network = await api.GetAsync<Stored<Bitmap>>(Path, cancellation);
            var bit = TakeLowest(network.Spec.Alloc);
            if (await api.PutAsync(Path, network, cancellation) is not null)
                return new Allocation($"{bit}", conflicts);
        }
    }

    public void Dispose() => Array.ForEach(connections, c => c.Dispose());

    private static int TakeLowest(byte[] bitmap)
    {
        var place = bitmap.AsSpan().IndexOfAnyExcept((byte)0xff);
        var bit = BitOperations.LeadingZeroCount((uint)(byte)~bitmap[place]) - 24;
        bitmap[place] |= (byte)(0x80 >> bit);
        return (place * 8) + bit;
    }

    private sealed record Bitmap(byte[] Alloc);
}
