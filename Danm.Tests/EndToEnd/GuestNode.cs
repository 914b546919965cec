using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// A node of a cluster: a kernel of its own (User Mode Linux) with the published executable, and an API server in this process that it
/// reaches over its network.
/// </summary>
internal sealed partial class GuestNode : IAsyncDisposable
{
    private readonly string kubeconfig;

    private GuestNode(Guest guest, EmbeddedApiServer server, string kubeconfig) => (Guest, Server, this.kubeconfig) = (guest, server, kubeconfig);

    public Guest Guest { get; }

    public EmbeddedApiServer Server { get; }

    /// <summary>The CNI configuration, without what a single test adds.</summary>
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
    public async Task<Sandbox> StartPodAsync(JsonObject pod)
    {
        var created = Server.Store.Create(pod);
        var sandbox = new Sandbox(this, (string)created["metadata"]!["namespace"]!, (string)created["metadata"]!["name"]!, (string)created["metadata"]!["uid"]!);
        await sandbox.NewNamespaceAsync();
        return sandbox;
    }

    public async Task<CniOutcome> CallAsync(CniCall call, TimeSpan? timeout = null)
    {
        var result = await Guest.RunAsync(call.ToShell(DanmBinary.Path), timeout ?? TimeSpan.FromMinutes(3));
        return new CniOutcome(result.ExitCode, result.Stdout, result.Stderr);
    }

    /// <summary>The objects that attachments make.</summary>
    public IReadOnlyList<JsonObject> Objects(string kind) =>
        Server.Store.List("danm.io/v1", kind);

    /// <summary>Fails unless the API, the node's state and its kernel hold nothing of any Pod.</summary>
    public async Task ExpectNothingLeftAsync()
    {
        Objects("IPAllocation").Should().BeEmpty();
        Objects("DanmEp").Should().BeEmpty();
        (await Guest.ExpectAsync("cat /var/lib/cni/danm/sandboxes/* /var/lib/cni/danm/deferred/* 2>/dev/null || true")).Should().BeEmpty();
        (await Guest.ExpectAsync("for n in $(ip netns list | cut -d' ' -f1); do ip -n $n -o link show type ipvlan; done; ip -o link show type ipvlan")).Should().BeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await Guest.DisposeAsync();
        await Server.DisposeAsync();
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);
}

/// <summary>One sandbox of a Pod in the guest.</summary>
internal sealed class Sandbox(GuestNode node, string ns, string name, string uid)
{
    private static int last;

    public string Uid => uid;

    public string ContainerId { get; private set; } = "";

    public string Netns => $"/run/netns/{NetnsName}";

    public string NetnsName { get; private set; } = "";

    /// <summary>A new sandbox of the same Pod, as after a reboot.</summary>
    public async Task NewNamespaceAsync()
    {
        var number = Interlocked.Increment(ref last);
        ContainerId = $"{Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())}{number:x8}";
        NetnsName = $"cni-{number}-{name}";
        await node.Guest.ExpectAsync($"ip netns add {NetnsName}");
    }

    public CniCall Call(string command, string cniVersion = "1.0.0") => new(command)
    {
        ContainerId = ContainerId,
        Netns = Netns,
        Args = $"IgnoreUnknown=1;K8S_POD_NAMESPACE={ns};K8S_POD_NAME={name};K8S_POD_INFRA_CONTAINER_ID={ContainerId};K8S_POD_UID={uid}",
        Config = node.Config(cniVersion),
    };

    public Task<CniOutcome> AddAsync() => node.CallAsync(Call("ADD"));

    public Task<CniOutcome> DelAsync() => node.CallAsync(Call("DEL"));

    public Task<CniOutcome> CheckAsync() => node.CallAsync(Call("CHECK"));

    /// <summary>Runs a command inside the sandbox.</summary>
    public Task<string> RunAsync(string command) => node.Guest.ExpectAsync($"ip netns exec {NetnsName} {command}");

    public Task DeleteNamespaceAsync() => node.Guest.ExpectAsync($"ip netns delete {NetnsName}");
}
