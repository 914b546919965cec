using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// A node of a cluster: a kernel of its own (User Mode Linux) with the published executable, and an API server in this process that it
/// reaches over its network.
/// </summary>
internal sealed partial class GuestNode : ICniNode, IAsyncDisposable
{
    // One process for all namespaces: each one that starts costs this kernel up to 0.1 s. Perl is in every Debian.
    private const string PodInterfaces = """
        perl -e 'for (glob "/run/netns/*") {
            open N, "<", $_ or die; syscall(308, fileno N, 0x40000000) == 0 or die "setns $_: $!";
            open D, "<", "/proc/self/net/dev" or die; for $line (<D>) { print "$_ $1\n" if $line =~ /^\s*(\S+):/ && $1 ne "lo" }
        }'
        ip -o link show type ipvlan
        for n in $(ls /run/netns | head -n 12); do ip -n $n rule; ip -n $n -6 rule; done | grep -v 'lookup local$\|lookup main$\|lookup default$' || true
        """;

    private readonly string kubeconfig;

    private GuestNode(Guest guest, EmbeddedApiServer server, string kubeconfig) => (Guest, Server, this.kubeconfig) = (guest, server, kubeconfig);

    public Guest Guest { get; }

    public EmbeddedApiServer Server { get; }

    /// <inheritdoc/>
    public JsonObject Config(string cniVersion = "1.0.0") => new()
    {
        ["cniVersion"] = cniVersion,
        ["name"] = "danm_meta_cni",
        ["type"] = "danm",
        ["kubeconfig"] = kubeconfig,
        ["timeoutSeconds"] = 180,
    };

    /// <param name="fromRepository">Folders and files of manifests, from the repository's folder.</param>
    public static async Task<GuestNode> StartAsync(params string[] fromRepository)
    {
        Guest.Require();
        DanmBinary.Require();
        var guest = await Guest.BootAsync();
        try
        {
            using var socket = guest.Bind(new IPEndPoint(Guest.HostAddress, 0));
            socket.Listen(512);
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
            {
                Manifests = [.. fromRepository.DefaultIfEmpty("manifests/crds").Select(m => Path.Combine(DanmBinary.Repository, m))],
                ListenHandles = [Duplicate((int)socket.Handle)],
                Hosts = [Guest.HostAddress.ToString()],
            });
            foreach (var name in (string[])["node-1", "node-2"])
                server.Store.Create(EndToEnd.Objects.Node(name));
            var kubeconfig = Path.Combine(guest.SharedDirectory, "kubeconfig");
            await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig(new KubeconfigOptions { Host = Guest.HostAddress.ToString(), Port = port }));
            await guest.ExpectAsync("ip link add parent0 type dummy && ip link set parent0 mtu 1400 up && ip address add 198.51.100.1/24 dev parent0");
            return new GuestNode(guest, server, kubeconfig);
        }
        catch
        {
            await guest.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates a Pod in the API and its network namespace in the guest; gives the sandbox to call the plugin for.</summary>
    public async Task<Sandbox> StartPodAsync(JsonObject pod) => (await StartPodsAsync(pod))[0];

    /// <inheritdoc cref="StartPodAsync"/>
    public async Task<IReadOnlyList<Sandbox>> StartPodsAsync(params IEnumerable<JsonObject> pods)
    {
        var sandboxes = pods.Select(pod =>
        {
            var metadata = Server.Store.Create(pod)["metadata"]!;
            return new Sandbox(this, (string)metadata["namespace"]!, (string)metadata["name"]!, (string)metadata["uid"]!);
        }).ToList();
        await Guest.ExpectAsync(string.Join('\n', sandboxes.Select(s => $"ip netns add {s.NetnsName}")));
        return sandboxes;
    }

    /// <inheritdoc/>
    public async Task<CniOutcome> CallAsync(CniCall call, TimeSpan? timeout = null)
    {
        var result = await Guest.RunAsync(call.ToShell(DanmBinary.Path), timeout ?? TimeSpan.FromMinutes(3));
        return new CniOutcome(result.ExitCode, result.Stdout, result.Stderr);
    }

    /// <inheritdoc/>
    public Task<string> ShellAsync(string script) => Guest.ExpectAsync(script);

    /// <summary>Runs all calls at once, a process each, out of one shell.</summary>
    public async Task<IReadOnlyList<CniOutcome>> CallAllAsync(IReadOnlyList<CniCall> calls)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Guest.SharedDirectory, Guid.NewGuid().ToString("n"))).FullName;
        var script = new StringBuilder();
        for (var i = 0; i < calls.Count; i++)
            script.Append($"{{ {calls[i].ToShell(DanmBinary.Path)} echo $? >{folder}/{i}.rc\n}} >{folder}/{i}.out 2>{folder}/{i}.err &\n");
        await Guest.ExpectAsync($"{script}wait", TimeSpan.FromMinutes(4));
        return [.. calls.Select((_, i) => new CniOutcome(int.Parse(Read($"{i}.rc")), Read($"{i}.out"), Read($"{i}.err")))];

        string Read(string file) => File.ReadAllText(Path.Combine(folder, file));
    }

    /// <summary>The objects that attachments make.</summary>
    public IReadOnlyList<JsonObject> Objects(string kind) =>
        Server.Store.List("danm.io/v1", kind);

    /// <summary>Fails unless the API, the node's state and its kernel hold nothing of any Pod.</summary>
    public async Task ExpectNothingLeftAsync()
    {
        Objects("IPAllocation").Should().BeEmpty();
        Objects("DanmEp").Should().BeEmpty();
        (await Guest.ExpectAsync("find /var/lib/cni/danm -type f ! -name counters -print -exec cat {} + 2>/dev/null || true")).Should().BeEmpty();
        (await Guest.ExpectAsync(PodInterfaces)).Should().BeEmpty();
    }

    /// <summary>Makes the deferred releases older.</summary>
    public Task PassTimeAsync(TimeSpan time) => Guest.ExpectAsync(
        $$"""perl -pi -e 's/"DeferredAt":(-?\d+)/"\"DeferredAt\":" . ($1 - {{(long)time.TotalMilliseconds}})/e' /var/lib/cni/danm/sandboxes/* 2>/dev/null || true""");

    /// <summary>Forgets all sandboxes, so that one test's failure is not the next one's.</summary>
    public async Task ResetAsync()
    {
        Server.Faults.Clear();
        foreach (var kind in (ReadOnlySpan<string>)["IPAllocation", "DanmEp"])
        {
            foreach (var o in Objects(kind))
                Server.Store.Delete("danm.io/v1", kind, (string?)o["metadata"]!["namespace"], (string)o["metadata"]!["name"]!);
        }

        await Guest.ExpectAsync("umount -l /run/netns/* 2>/dev/null; rm -rf /run/netns/* /var/lib/cni/danm");
    }

    /// <summary>What the node's journals say of each sandbox.</summary>
    public async Task<IReadOnlyList<JsonObject>> JournalsAsync()
    {
        var lines = await Guest.ExpectAsync("for f in /var/lib/cni/danm/sandboxes/*; do [ -e $f ] && tail -n 1 $f; done; true");
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (JsonObject)JsonNode.Parse(l)!)];
    }

    /// <summary>The journals of the sandboxes whose release waits for the next call; each has its mark in <c>deferred/</c>.</summary>
    public async Task<IReadOnlyList<JsonObject>> DeferredAsync()
    {
        var deferred = (await JournalsAsync()).Where(j => (string?)j["Phase"] == "Deferred").ToList();
        var marks = await Guest.ExpectAsync("ls /var/lib/cni/danm/deferred 2>/dev/null || true");
        foreach (var journal in deferred)
            marks.Should().Contain($"{journal["PodUid"]}_{journal["ContainerId"]}");
        return deferred;
    }

    public async ValueTask DisposeAsync()
    {
        await Guest.DisposeAsync();
        await Server.DisposeAsync();
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);
}
