using System.Net;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Ipam;
using Danm.Kube;
using Danm.Networks;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Ipam;

/// <summary>An API server with our CRDs; every test has a wire of its own.</summary>
public abstract class IpamFixture
{
    private static int s_count;

    private string device = "";

    protected EmbeddedApiServer Server { get; private set; } = null!;

    private protected ApiClient Api { get; private set; } = null!;

    /// <summary>What was written down, one list an announcement.</summary>
    protected List<IReadOnlyList<string>> Announced { get; } = [];

    [OneTimeSetUp]
    public async Task Start()
    {
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        Api = TestClient.Connect(Server.Kubeconfig());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        Api.Dispose();
        await Server.DisposeAsync();
    }

    [SetUp]
    public void NextWire()
    {
        device = $"ens{Interlocked.Increment(ref s_count)}";
        Announced.Clear();
        Server.Requests.Clear();
    }

    [TearDown]
    public void NoMoreFaults() => Server.Faults.Clear();

    /// <summary>What one Pod asks of a network on this test's wire.</summary>
    private protected AddressClaim Claim(
        string subnet, string pod = "amf-0", string? wanted = null, string? start = null, string? end = null, string? gateway = null,
        string network = "n", string container = "c", string? wire = null)
    {
        var ipv6 = subnet.Contains(':');
        var options = new NetworkOptions { HostDevice = wire ?? device };
        if (ipv6)
        {
            options.Net6 = subnet;
            options.AllocationPoolV6 = new AllocationPoolV6 { Start = start, End = end };
            options.Routes6 = gateway is null ? null : new() { ["fd99::/64"] = gateway };
        }
        else
        {
            options.Cidr = subnet;
            options.AllocationPool = new AllocationPool { Start = start, End = end };
            options.Routes = gateway is null ? null : new() { ["10.99.0.0/16"] = gateway };
        }

        var made = new Network { Metadata = new ObjectMeta { Name = network, Namespace = "ns" }, Spec = new NetworkSpec { NetworkId = network, Options = options } };
        var owner = new IPAllocationOwner { Namespace = "ns", Pod = pod, PodUid = $"uid-{pod}", ContainerId = container, Interface = "eth0", DanmEp = $"ep-{pod}-{container}" };
        return new AddressClaim(
            made, Segment.Of(made), (ipv6 ? AddressPool.IPv6(made) : AddressPool.IPv4(made))!, wanted is null ? null : IPAddress.Parse(wanted), owner, "node-1");
    }

    private protected Task<AllocatedAddress> AllocateAsync(AddressClaim claim) => AllocateAsync(AddressAllocator.Plan(claim));

    private protected Task<AllocatedAddress> AllocateAsync(FirstTries tries) =>
        new AddressAllocator(Api, names =>
        {
            lock (Announced)
                Announced.Add(names);
        }).AllocateAsync(tries, CancellationToken.None);

    /// <summary>Takes addresses of the claim's wire for another Pod, without a request.</summary>
    private protected void Take(AddressClaim claim, params IEnumerable<string> addresses)
    {
        var other = claim with { Owner = claim.Owner with { Pod = "other", PodUid = "uid-other", ContainerId = "oc", DanmEp = "ep-other" } };
        AllocationSeed.Load(Server.Store, addresses.Select(address => (other, IPAddress.Parse(address))));
    }

    private protected JsonObject Stored(AllocatedAddress address) => Server.Store.Get("danm.io/v1", "IPAllocation", null, address.Name)!;

    /// <summary>How many addresses of the claim's wire are taken.</summary>
    private protected int Taken(AddressClaim claim) =>
        Server.Store.List("danm.io/v1", "IPAllocation").Count(o => o.At("metadata", "name").String()!.EndsWith($".{claim.Segment.Name}", StringComparison.Ordinal));
}
