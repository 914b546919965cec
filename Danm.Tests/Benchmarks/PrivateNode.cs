using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
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
        mount -t tmpfs tmpfs /run
        mkdir -p /var/lib/cni
        mount --bind "$1" /var/lib/cni
        mount -t tmpfs tmpfs /var/log
        ip link set lo up
        ip link add parent0 type bridge
        ip link set parent0 up
        ip netns add pod
        """;

    private readonly PrivateNamespaces namespaces;
    private readonly string folder;
    private readonly MeasuredProcess measured;

    private PrivateNode(PrivateNamespaces namespaces, string folder, EmbeddedApiServer server)
    {
        (this.namespaces, this.folder, Server) = (namespaces, folder, server);
        measured = new MeasuredProcess(folder, [.. namespaces.Enter]);
    }

    public EmbeddedApiServer Server { get; }

    public string Kubeconfig => Path.Combine(folder, "kubeconfig");

    private string Log => Path.Combine(folder, "log");

    public static async Task<PrivateNode> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("danm-node-").FullName;
        var state = Directory.CreateDirectory(Path.Combine(folder, "state")).FullName;
        var namespaces = await PrivateNamespaces.StartAsync(SetUp, state);
        try
        {
            var (descriptor, port) = NamespaceSocket.Listen(namespaces.NetworkPath, IPAddress.Loopback);
            var token = NodeToken.For("node-1");
            var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
            {
                Manifests = [Path.Combine(DanmBinary.Repository, "manifests", "crds")],
                Port = null,
                ListenHandles = [descriptor],
                Tokens = new Dictionary<string, string> { [token] = "danm" },
            });
            var node = new PrivateNode(namespaces, folder, server);
            await File.WriteAllTextAsync(Path.Combine(folder, "token"), token);
            await File.WriteAllTextAsync(node.Kubeconfig, server.Kubeconfig(new KubeconfigOptions { TokenFile = "token", Port = port }));
            return node;
        }
        catch
        {
            await EndAsync(namespaces, folder);
            throw;
        }
    }

    /// <summary>Runs a program in the node's namespaces.</summary>
    public Task<ProcessCost> RunAsync(string[] command, IReadOnlyDictionary<string, string>? environment = null, string input = "") =>
        measured.RunAsync(command, environment ?? new Dictionary<string, string>(), input);

    /// <summary>Starts a program in the node's namespaces, which becomes it.</summary>
    public Process Start(string[] command)
    {
        string[] line = [.. namespaces.Enter, .. command];
        return Process.Start(new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true })!;
    }

    /// <summary>Calls the published executable for a Pod of the API.</summary>
    public async Task<ProcessCost> CallAsync(string command, string pod, params string[] tracer)
    {
        File.Delete(Log);
        var uid = (string)Server.Store.Get("v1", "Pod", "default", pod)!["metadata"]!["uid"]!;
        var call = new CniCall(command)
        {
            ContainerId = new string('c', 64),
            Netns = PodNetns,
            Args = $"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};K8S_POD_INFRA_CONTAINER_ID={new string('c', 64)};K8S_POD_UID={uid}",
            Config = new JsonObject
            {
                ["cniVersion"] = command == "STATUS" ? "1.1.0" : "1.0.0", ["name"] = "danm_meta_cni", ["type"] = "danm", ["kubeconfig"] = Kubeconfig,
                ["cniDir"] = "/run", ["logFile"] = Log, ["logLevel"] = "debug",
            },
        };
        var cost = await RunAsync([.. tracer, DanmBinary.Path], call.Environment, call.Config.ToJsonString());
        var log = File.Exists(Log) ? await File.ReadAllTextAsync(Log) : "";
        return cost with { PluginCpu = TimeSpan.FromMicroseconds(PluginTimes().Matches(log).Sum(m => long.Parse(m.Groups[1].Value))) };
    }

    public async ValueTask DisposeAsync()
    {
        measured.Dispose();
        await EndAsync(namespaces, folder);
        await Server.DisposeAsync();
    }

    [GeneratedRegex("cpu_us=\"(\\d+)\"")]
    private static partial Regex PluginTimes();

    private static async Task EndAsync(PrivateNamespaces namespaces, string folder)
    {
        await namespaces.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
