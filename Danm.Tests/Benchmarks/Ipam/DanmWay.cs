using Danm.Api;
using Danm.Ipam;
using Danm.Kube;
using Danm.Networks;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.Kube;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>One object per address, made by the code of the CNI plugin.</summary>
internal sealed class DanmWay(string name, string cidr, string wire, string? start = null, string? end = null) : IAllocationWay
{
    private readonly Network network = new()
    {
        Metadata = new ObjectMeta { Name = wire, Namespace = "default" },
        Spec = new NetworkSpec
        {
            NetworkId = wire,
            Options = new NetworkOptions { HostDevice = wire, Cidr = cidr, AllocationPool = new AllocationPool { Start = start, End = end } },
        },
    };

    private ApiClient[] connections = [];

    public string Name => name;

    public AddressClaim Claim(int pod) => new(network, Segment.Of(network), AddressPool.IPv4(network)!, null, Owner(pod), "worker-17.example.net");

    public async Task PrepareAsync(ITestCluster cluster, int callers)
    {
        connections = [.. Enumerable.Range(0, callers).Select(_ => TestClient.Connect(cluster.Kubeconfig(), TimeSpan.FromSeconds(60)))];
        foreach (var api in connections)
            await api.TryGetAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, "none"), ApiJson.Default.IPAllocation, CancellationToken.None);
    }

    public async Task<Allocation> AllocateAsync(int caller, int pod, CancellationToken cancellation)
    {
        var tries = AddressAllocator.Plan(Claim(pod));
        var names = new List<string>(tries.Names);
        var address = await new AddressAllocator(connections[caller], names.AddRange).AllocateAsync(tries, cancellation);
        return new Allocation(address.Name, names.LastIndexOf(address.Name));
    }

    public void Dispose() => Array.ForEach(connections, c => c.Dispose());

    private static IPAllocationOwner Owner(int pod) => new()
    {
        Namespace = "core-network",
        Pod = $"upf-{pod}",
        PodUid = $"6f1a2c1e-4a52-4b0e-9d5e-{pod:x12}",
        ContainerId = $"{pod:x64}",
        Interface = "net1",
        DanmEp = $"0d3c5a77-8e21-8c44-a6b0-{pod:x12}",
    };
}
