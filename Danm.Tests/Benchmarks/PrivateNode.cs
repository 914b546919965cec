using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kernel;

namespace Danm.Tests.Benchmarks;

/// <summary>
/// A node on this host's kernel: mount and network namespaces of its own with a host device, a Pod's namespace and an API server on
/// the loopback interface. The device is a bridge, so where the kernel has no ipvlan an ADD goes all the way to the kernel's refusal.
/// </summary>
internal sealed partial class PrivateNode : IAsyncDisposable
{
    private const string PodNetns = "/run/netns/pod";

    private const string SetUp = """
        set -e
        mount -t tmpfs tmpfs /run
        mkdir -p /var/lib/cni
        mount --bind "$1" /var/lib/cni
        mount -t tmpfs tmpfs /var/log
        ip link set lo up
        ip link add parent0 type bridge
        ip link set parent0 up
        ip netns add pod
        echo ready
        read -r end
        """;

    private readonly Process holder;
    private readonly string folder;
    private readonly MeasuredProcess measured;

    private PrivateNode(Process holder, string folder, EmbeddedApiServer server)
    {
        (this.holder, this.folder, Server) = (holder, folder, server);
        measured = new MeasuredProcess(folder, "nsenter", $"--target={holder.Id}", "--mount", "--net");
    }

    public EmbeddedApiServer Server { get; }

    private string Kubeconfig => Path.Combine(folder, "kubeconfig");

    public static async Task<PrivateNode> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("danm-node-").FullName;
        var state = Directory.CreateDirectory(Path.Combine(folder, "state")).FullName;
        var holder = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--net", "--kill-child", "sh", "-c", SetUp, "sh", state])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            if (await holder.StandardOutput.ReadLineAsync() != "ready")
                throw new InvalidOperationException("cannot make a node in namespaces of its own: are you root?");
            using var socket = NamespaceSocket.OpenTcp($"/proc/{holder.Id}/ns/net", System.Net.Sockets.AddressFamily.InterNetwork);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            socket.Listen(16);
            var token = NodeToken("node-1");
            var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
            {
                Manifests = [Path.Combine(DanmBinary.Repository, "manifests", "crds")],
                Port = null,
                ListenHandles = [Duplicate((int)socket.Handle)],
                Tokens = new Dictionary<string, string> { [token] = "danm" },
            });
            var node = new PrivateNode(holder, folder, server);
            await File.WriteAllTextAsync(Path.Combine(folder, "token"), token);
            await File.WriteAllTextAsync(node.Kubeconfig, server.Kubeconfig(new KubeconfigOptions { TokenFile = "token", Port = ((IPEndPoint)socket.LocalEndPoint!).Port }));
            return node;
        }
        catch
        {
            End(holder, folder);
            throw;
        }
    }

    /// <summary>Runs a program in the node's namespaces.</summary>
    public Task<ProcessCost> RunAsync(string[] command, IReadOnlyDictionary<string, string>? environment = null, string input = "") =>
        measured.RunAsync(command, environment ?? new Dictionary<string, string>(), input);

    /// <summary>Calls the published executable for a Pod of the API.</summary>
    public Task<ProcessCost> CallAsync(string command, string pod, params string[] tracer)
    {
        var uid = (string)Server.Store.Get("v1", "Pod", "default", pod)!["metadata"]!["uid"]!;
        var call = new CniCall(command)
        {
            ContainerId = new string('c', 64),
            Netns = PodNetns,
            Args = $"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};K8S_POD_INFRA_CONTAINER_ID={new string('c', 64)};K8S_POD_UID={uid}",
            Config = new JsonObject { ["cniVersion"] = "1.0.0", ["name"] = "danm_meta_cni", ["type"] = "danm", ["kubeconfig"] = Kubeconfig },
        };
        return RunAsync([.. tracer, DanmBinary.Path], call.Environment, call.Config.ToJsonString());
    }

    public async ValueTask DisposeAsync()
    {
        End(holder, folder);
        await Server.DisposeAsync();
    }

    private static void End(Process holder, string folder)
    {
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Of the form and length of a token that the TokenRequest API binds to a Node (KEP-4193).</summary>
    private static string NodeToken(string node)
    {
        var payload = new JsonObject
        {
            ["aud"] = new JsonArray("https://kubernetes.default.svc.cluster.local"),
            ["exp"] = DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds(),
            ["iss"] = "https://kubernetes.default.svc.cluster.local",
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = "kube-system",
                ["node"] = new JsonObject { ["name"] = node, ["uid"] = Guid.NewGuid().ToString() },
                ["serviceaccount"] = new JsonObject { ["name"] = "danm", ["uid"] = Guid.NewGuid().ToString() },
            },
            ["sub"] = "system:serviceaccount:kube-system:danm",
        }.ToJsonString();
        return $"{Encode("""{"alg":"RS256","kid":"benchmark"}"""u8)}.{Encode(Encoding.UTF8.GetBytes(payload))}.{Encode(new byte[256])}";

        static string Encode(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);
}
