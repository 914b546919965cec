using System.Net;
using Danm.Tests.Kernel;

namespace Danm.Tests.Demo;

/// <summary>The host's own kernel, in namespaces of the demo's: its interfaces, its /run and its /var/lib are not the host's.</summary>
internal sealed class HostNode : DemoNode
{
    private const string SetUp = """
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /var/lib
        ip link set lo up
        need() { what=$1; shift; "$@" 2>/dev/null || { echo "no $what" >&2; exit 1; }; }
        need 'dummy interfaces' ip link add probe0 type dummy
        need VLANs ip link add link probe0 probe1 type vlan id 1
        need ipvlan ip link add link probe0 probe2 type ipvlan mode l2
        ip link delete probe0
        """;

    private readonly PrivateNamespaces namespaces;
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("danm-demo-");

    private HostNode(PrivateNamespaces namespaces) => this.namespaces = namespaces;

    public override string SharedDirectory => directory.FullName;

    public override IPAddress ServerAddress => IPAddress.Loopback;

    protected override string NamespacePath => namespaces.NetworkPath;

    /// <summary>The node, or what this machine's kernel lacks.</summary>
    public static async Task<(HostNode? Node, string Lack)> TryStartAsync()
    {
        var release = (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim();
        try
        {
            var namespaces = await PrivateNamespaces.StartAsync(SetUp);
            return (new HostNode(namespaces) { Kernel = $"Linux {release}", Why = "This machine's own kernel, in namespaces of the demo's own." }, "");
        }
        catch (InvalidOperationException e)
        {
            return (null, $"This machine's own kernel, {release}, cannot run it: {e.Message}.");
        }
    }

    public override async Task<GuestResult> RunAsync(string script, TimeSpan timeout)
    {
        try
        {
            return await namespaces.RunAsync(script, timeout);
        }
        catch (TimeoutException e)
        {
            throw new DemoException(e.Message);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await namespaces.DisposeAsync();
        directory.Delete(recursive: true);
    }
}
