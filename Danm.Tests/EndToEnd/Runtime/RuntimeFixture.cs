using NUnit.Framework.Interfaces;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>Tests on a node whose container runtime calls Danm.</summary>
public abstract class RuntimeFixture
{
    /// <summary>Debian's bridge and host-local, which gives the addresses.</summary>
    private const string Bridge = """
        {"cniVersion": "1.0.0", "name": "br-net", "type": "bridge", "bridge": "br0", "isGateway": true,
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.7.0.0/24"}]], "dataDir": "/run/leases"}}
        """;

    private const string Ports = """
        {"cniVersion": "1.0.0", "name": "ports", "plugins": [
          {"type": "ptp", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.8.0.0/24"}]], "dataDir": "/run/leases"}},
          {"type": "portmap", "capabilities": {"portMappings": true}, "snat": false}]}
        """;

    private protected ContainerRuntime Runtime { get; private set; } = null!;

    private protected HostNode Node => Runtime.Node;

    [OneTimeSetUp]
    public async Task StartRuntime()
    {
        Runtime = await ContainerRuntime.StartAsync();
        await Node.ShellAsync($"""
            mkdir -p /run/cni/danm.d
            cat >/run/cni/danm.d/br.conf <<'FILE'
            {Bridge}
            FILE
            cat >/run/cni/danm.d/ports.conflist <<'FILE'
            {Ports}
            FILE
            """);
    }

    [OneTimeTearDown]
    public async Task EndRuntime()
    {
        if (Runtime is not null)
            await Runtime.DisposeAsync();
    }

    [SetUp]
    public void MakeNetworks()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", """
            {"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd01::/64"}}
            """));
        Node.Server.Store.Create(Objects.Network("DanmNet", "br", """{"NetworkID":"br","NetworkType":"bridge"}"""));
        Node.Server.Store.Create(Objects.Network("DanmNet", "ports", """{"NetworkID":"ports","NetworkType":"ptp"}"""));
    }

    [TearDown]
    public async Task Forget()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed)
            await TestContext.Out.WriteLineAsync(await Runtime.ComplaintsAsync());
        Node.Server.Faults.Clear();
        await Runtime.RemoveAllAsync();
        await Node.ResetAsync();
        await Node.ShellAsync("rm -rf /run/leases");
    }

    /// <summary>Fails unless sandboxes, objects, interfaces, leases, journals and the runtime's own notes are gone.</summary>
    private protected async Task ExpectNothingLeftAsync()
    {
        (await Runtime.ListAsync()).Should().BeEmpty();
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        (await Node.ShellAsync("find /run/leases -type f -name '*.*.*.*' 2>/dev/null; true")).Should().BeEmpty("host-local has a file a lease");
        (await Node.ShellAsync("ip -br link | cut -d ' ' -f 1; for n in $(ls /run/netns); do ip -n $n -br link | cut -d ' ' -f 1; done"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().BeSubsetOf(["lo", "parent0", "br0"]);
    }
}
