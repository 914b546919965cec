using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// A node on this machine's own kernel, in namespaces of its own: nothing of it is the machine's. Where that kernel has no ipvlan, an
/// ADD goes as far as the kernel's refusal, which is enough for all that goes wrong before, and for taking everything back.
/// </summary>
internal sealed class HostNode : ICniNode, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // Without a link-local address the host device does not change by itself a moment later.
    private const string SetUp = """
        for d in /run /var/lib /var/log; do mount -t tmpfs tmpfs $d; done
        ip link set lo up
        ip link add parent0 type bridge
        ip link set parent0 addrgenmode none
        ip link set parent0 up
        """;

    private const string Interfaces = """
        show() { for f in -4 -6; do ip $1 $f rule; ip $1 $f route show table all; done; ip $1 -o address; ip $1 -o link; }
        show
        for n in $(ls /run/netns 2>/dev/null); do echo "in $n:"; show "-n $n"; done
        """;

    private readonly PrivateNamespaces namespaces;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("danm-node-");

    private HostNode(PrivateNamespaces namespaces, EmbeddedApiServer server, int port)
    {
        (this.namespaces, Server, Port) = (namespaces, server, port);
        Kubeconfig = WriteFile("kubeconfig", KubeconfigText());
    }

    public EmbeddedApiServer Server { get; }

    /// <summary>Where the server listens on the node, at every address that it has.</summary>
    public int Port { get; }

    /// <summary>The path of the kubeconfig that <see cref="Config"/> names.</summary>
    public string Kubeconfig { get; }

    /// <summary>What a command line that is to run on the node begins with.</summary>
    public IReadOnlyList<string> Enter => namespaces.Enter;

    /// <summary>The node's network namespace.</summary>
    public string NetworkPath => namespaces.NetworkPath;

    /// <summary>A sandbox's network namespace, for whoever opens sockets in it.</summary>
    public string NetworkPathOf(Sandbox sandbox) => namespaces.Root + sandbox.Netns;

    /// <param name="options">The API server's.</param>
    /// <param name="ownProcesses">Whether what runs on the node ends with it.</param>
    /// <param name="servesHere">Whether the server can be reached from outside the node, too.</param>
    public static async Task<HostNode> StartAsync(ApiServerOptions? options = null, bool ownProcesses = false, bool servesHere = false)
    {
        if (!Environment.IsPrivilegedProcess)
            DanmBinary.Lacks("namespaces need root: run the tests as root");
        DanmBinary.Require();
        var namespaces = await PrivateNamespaces.StartAsync(SetUp, ownProcesses);
        try
        {
            var (descriptor, port) = NamespaceSocket.Listen(namespaces.NetworkPath, IPAddress.Any);
            options ??= new ApiServerOptions();
            var server = await EmbeddedApiServer.StartAsync(options with
            {
                Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds"), .. options.Manifests],
                Port = servesHere ? 0 : null,
                ListenHandles = [descriptor],
            });
            server.Store.Create(EndToEnd.Objects.Node("node-1"));
            return new HostNode(namespaces, server, port);
        }
        catch
        {
            await namespaces.DisposeAsync();
            throw;
        }
    }

    /// <summary>A kubeconfig for the server at the port where the node finds it.</summary>
    public string KubeconfigText(KubeconfigOptions? options = null) => Server.Kubeconfig((options ?? new KubeconfigOptions()) with { Port = Port });

    /// <summary>Writes a file that node and tests see under the path that is returned.</summary>
    public string WriteFile(string name, string content)
    {
        var path = PathOf(name);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>Where <see cref="WriteFile"/> puts a file.</summary>
    public string PathOf(string name) => Path.Combine(folder.FullName, name);

    /// <inheritdoc/>
    public JsonObject Config(string cniVersion = "1.0.0") => new()
    {
        ["cniVersion"] = cniVersion,
        ["name"] = "danm_meta_cni",
        ["type"] = "danm",
        ["kubeconfig"] = Kubeconfig,
    };

    /// <inheritdoc/>
    public Task<CniOutcome> CallAsync(CniCall call, TimeSpan? timeout = null) => CallAsync(call, [DanmBinary.Path], timeout);

    /// <summary>Calls the executable by a command line that is not just its path.</summary>
    public Task<CniOutcome> CallAsync(CniCall call, IReadOnlyList<string> command, TimeSpan? timeout = null, Action<Process>? started = null) =>
        call.RunAsync([.. namespaces.Enter, .. command], timeout, started);

    /// <summary>Calls the published executable; the process is the call itself, not a shell around it.</summary>
    public Task<CniOutcome> CallAsync(CniCall call, Action<Process> started) => call.RunAsync([.. namespaces.Enter, DanmBinary.Path], started: started);

    /// <inheritdoc/>
    public async Task<string> ShellAsync(string script)
    {
        var result = await namespaces.RunAsync(script, Patience);
        result.ExitCode.Should().Be(0, "{0}\n{1}", script, result.Stderr);
        return result.Stdout;
    }

    /// <summary>Creates a Pod in the API, and its network namespace; gives the sandbox to call the plugin for.</summary>
    public async Task<Sandbox> StartPodAsync(JsonObject pod)
    {
        var metadata = Server.Store.Create(pod)["metadata"]!;
        var sandbox = new Sandbox(this, (string)metadata["namespace"]!, (string)metadata["name"]!, (string)metadata["uid"]!);
        await ShellAsync($"ip netns add {sandbox.NetnsName}");
        return sandbox;
    }

    /// <summary>The objects that attachments make.</summary>
    public IReadOnlyList<JsonObject> Objects(params ReadOnlySpan<string> kinds)
    {
        var objects = new List<JsonObject>();
        foreach (var kind in kinds.IsEmpty ? ["IPAllocation", "DanmEp"] : kinds)
            objects.AddRange(Server.Store.List("danm.io/v1", kind));
        return objects;
    }

    /// <summary>Links, addresses, routes and rules of the node and of every sandbox, as text to compare.</summary>
    public Task<string> InterfacesAsync() => ShellAsync(Interfaces);

    /// <summary>The files that the plugin left of sandboxes, with their content; what it counts stays.</summary>
    public Task<string> StateAsync() => ShellAsync("find /var/lib -type f ! -name counters -print -exec cat {} +");

    /// <summary>What the node's journals say of each sandbox.</summary>
    public async Task<IReadOnlyList<JsonObject>> JournalsAsync()
    {
        var lines = await ShellAsync("for f in /var/lib/cni/danm/sandboxes/*; do [ -e $f ] && tail -n 1 $f; done; true");
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (JsonObject)JsonNode.Parse(l)!)];
    }

    /// <summary>Makes the deferred releases older.</summary>
    public Task PassTimeAsync(TimeSpan time) => ShellAsync(
        $$"""perl -pi -e 's/"DeferredAt":(-?\d+)/"\"DeferredAt\":" . ($1 - {{(long)time.TotalMilliseconds}})/e' /var/lib/cni/danm/sandboxes/*""");

    /// <summary>Forgets sandboxes, Pods and networks, so that one test's are not the next one's.</summary>
    public async Task ResetAsync()
    {
        Server.Faults.Clear();
        Delete("v1", "Pod");
        foreach (var kind in (ReadOnlySpan<string>)["DanmNet", "TenantNetwork", "ClusterNetwork", "IPAllocation", "DanmEp"])
            Delete("danm.io/v1", kind);
        await ShellAsync("for n in $(ls /run/netns 2>/dev/null); do ip netns delete $n; done; rm -rf /var/lib/* /var/log/*");

        void Delete(string apiVersion, string kind)
        {
            foreach (var o in Server.Store.List(apiVersion, kind))
                Server.Store.Delete(apiVersion, kind, (string?)o["metadata"]!["namespace"], (string)o["metadata"]!["name"]!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await namespaces.DisposeAsync();
        await Server.DisposeAsync();
        folder.Delete(recursive: true);
    }
}
