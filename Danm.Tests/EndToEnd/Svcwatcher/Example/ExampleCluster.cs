using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Dns;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd.Svcwatcher.Example;

/// <summary>
/// A cluster as people have it before they try manifests/examples/services: one node, Danm as its network plugin, svcwatcher with the rights
/// that manifests/ gives it, a default network that Debian's bridge plugin makes, and a name server at the address that kubelets know.
/// </summary>
internal sealed class ExampleCluster : IAsyncDisposable
{
    private const string Token = "token-of-danm-svcwatcher";
    private const string NameServer = "10.96.0.10";
    private const string CniFolder = "/run/cni";

    // The examples' host_device; the nodes' addresses are on it.
    private const string SetUp = $$"""
        ip link add ens4 type bridge && ip link set ens4 up && ip address add 192.0.2.11/24 dev ens4
        ip address add {{NameServer}}/32 dev lo
        mkdir -p {{CniFolder}}
        cat >{{CniFolder}}/cbr.conf <<'FILE'
        {"cniVersion":"1.0.0","name":"cbr","type":"bridge","bridge":"cbr0","isDefaultGateway":true,
         "ipam":{"type":"host-local","ranges":[[{"subnet":"10.244.0.0/24"}]],"dataDir":"/run/leases"} }
        FILE
        """;

    private readonly List<IAsyncDisposable> running = [];

    private ExampleCluster(HostNode node) => Node = node;

    public HostNode Node { get; }

    /// <summary>An administrator's client, with the server as its base address.</summary>
    public HttpClient Admin { get; private set; } = null!;

    public ModeProcess Svcwatcher { get; private set; } = null!;

    public static async Task<ExampleCluster> StartAsync()
    {
        var node = await HostNode.StartAsync(
            new ApiServerOptions
            {
                EnforcesRbac = true,
                Manifests = [Path.Combine(DanmBinary.Repository, "manifests/svcwatcher/rbac.yaml")],
                Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:danm-svcwatcher" },
            },
            ownProcesses: true);
        var cluster = new ExampleCluster(node);
        try
        {
            await cluster.FurnishAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>What kubelet writes to a container's /etc/resolv.conf.</summary>
    public static string ResolvConf(JsonObject pod)
    {
        var spec = pod["spec"]!;
        return spec["dnsPolicy"].String() switch
        {
            "None" => $"nameserver {string.Join("\nnameserver ", spec.At("dnsConfig", "nameservers").Strings())}\nsearch {string.Join(' ', spec.At("dnsConfig", "searches").Strings())}\n",
            "Default" => "",
            _ => $"nameserver {NameServer}\nsearch {pod.At("metadata", "namespace").String()}.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n",
        };
    }

    /// <summary>Creates an object as <c>kubectl apply</c> would have it: fields that nobody knows are errors.</summary>
    public async Task<JsonObject> ApplyAsync(JsonObject made)
    {
        var version = made["apiVersion"].String()!;
        var ns = made.At("metadata", "namespace").String() is { } name ? $"namespaces/{name}/" : "";
        var path = $"/{(version.Contains('/', StringComparison.Ordinal) ? "apis" : "api")}/{version}/{ns}{made["kind"].String()!.ToLowerInvariant()}s?fieldValidation=Strict";
        using var content = new StringContent(made.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await Admin.PostAsync(new Uri(path, UriKind.Relative), content);
        var answer = await response.Content.ReadAsStringAsync();
        response.StatusCode.Should().Be(HttpStatusCode.Created, "{0}: {1}", made.ToJsonString(), answer);
        return (JsonObject)JsonNode.Parse(answer)!;
    }

    /// <summary>A call of the network plugin for a sandbox, under the node's configuration.</summary>
    public Task<CniOutcome> CallAsync(Sandbox sandbox, string command)
    {
        var call = sandbox.Call(command);
        call.Config["cniDir"] = CniFolder;
        return Node.CallAsync(call);
    }

    /// <summary>Serves the cluster's names at port 53 of an address in a network namespace.</summary>
    public async Task ServeNamesAsync(string namespacePath, IPAddress address)
    {
        var (datagrams, connections) = (NamespaceSocket.OpenUdp(namespacePath, address.AddressFamily), NamespaceSocket.OpenTcp(namespacePath, address.AddressFamily));
        foreach (var socket in (Socket[])[datagrams, connections])
            socket.Bind(new IPEndPoint(address, 53));
        connections.Listen();
        running.Add(await ClusterDns.StartAsync(Admin, datagrams, connections));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in running)
            await service.DisposeAsync();
        Admin?.Dispose();
        await Node.DisposeAsync();
    }

    private async Task FurnishAsync()
    {
        await Node.ShellAsync(SetUp);
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "default", """{"NetworkID":"cbr","NetworkType":"bridge"}"""));
        Admin = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => Equals(certificate?.Issuer, Node.Server.CertificateAuthority.Certificate.Subject) },
        })
        {
            BaseAddress = new Uri($"https://127.0.0.1:{Node.Port}"),
            DefaultRequestHeaders = { Authorization = new("Bearer", Node.Server.AdminToken) },
        };
        await ServeNamesAsync(Node.NetworkPath, IPAddress.Parse(NameServer));
        var kubeconfig = Node.WriteFile("svcwatcher", Node.KubeconfigText(new KubeconfigOptions { Token = Token }));
        Svcwatcher = ModeProcess.Start(Node.Enter, "svcwatcher", [], "--kubeconfig", kubeconfig);
        running.Add(Svcwatcher);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = NamespaceSocket.OpenTcp(Node.NetworkPath, AddressFamily.InterNetwork);
        await socket.ConnectAsync(IPAddress.Loopback, Node.Port, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
