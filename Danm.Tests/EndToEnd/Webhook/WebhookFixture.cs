using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>
/// A cluster whose API server asks replicas of <c>danm webhook</c> over HTTPS, as manifests/ registers them, under the rights that manifests/
/// give them and no other.
/// </summary>
public abstract class WebhookFixture
{
    private protected const string Service = "kube-system/danm-webhook-svc";

    private const string Token = "token-of-danm-webhook";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("danm-webhook-");
    private readonly List<ModeProcess> replicas = [];
    private readonly ServiceEndpoints services = new();

    private protected EmbeddedApiServer Server { get; private set; } = null!;

    private protected string Kubeconfig { get; private set; } = "";

    /// <summary>An administrator's client of the API server.</summary>
    private protected HttpClient Admin { get; private set; } = null!;

    /// <summary>How many replicas run from the start.</summary>
    private protected virtual int Replicas => 1;

    /// <summary>What the replicas have in their environment besides.</summary>
    private protected virtual (string Name, string Value)[] Surroundings => [];

    private protected IReadOnlyList<ModeProcess> Running => replicas;

    [OneTimeSetUp]
    public async Task StartCluster()
    {
        DanmBinary.Require();
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
        {
            EnforcesRbac = true,
            Services = services,
            Manifests = [.. ((string[])["manifests/crds", "manifests/webhook/rbac.yaml", "manifests/webhook/self-signed/rbac.yaml", "manifests/webhook/configuration.yaml"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
            Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:danm-webhook" },
        });
        Kubeconfig = InFolder("kubeconfig");
        await File.WriteAllTextAsync(Kubeconfig, Server.Kubeconfig(new KubeconfigOptions { Token = Token }));
        Admin = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } }) { BaseAddress = Server.Url };
        Admin.DefaultRequestHeaders.Authorization = new("Bearer", Server.AdminToken);
        var ports = new List<int>();
        for (var i = 0; i < Replicas; i++)
            ports.Add(await StartReplicaAsync());
        Serve([.. ports]);
    }

    [OneTimeTearDown]
    public async Task StopCluster()
    {
        foreach (var replica in replicas)
            await replica.DisposeAsync();
        Admin?.Dispose();
        if (Server is not null)
            await Server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [TearDown]
    public void Rights_were_enough()
    {
        Server.Faults.Clear();
        Server.Requests.All.Where(r => r.Status == 403 && r.User.Contains("danm", StringComparison.Ordinal)).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().Should().BeEmpty();
        Server.Requests.Clear();
        replicas.Where(r => r.Log.Contains("fail: webhook[3]", StringComparison.Ordinal)).Select(r => r.Log).Should().BeEmpty();
    }

    /// <summary>Ends all replicas that run.</summary>
    private protected async Task StopReplicasAsync()
    {
        foreach (var replica in replicas)
            await replica.DisposeAsync();
        replicas.Clear();
    }

    private protected string InFolder(string name) => Path.Combine(folder.FullName, name);

    /// <summary>Starts a replica, and waits until it is ready; gives the port that it answers on.</summary>
    private protected async Task<int> StartReplicaAsync(params string[] arguments)
    {
        var (port, health) = (FreePort(), FreePort());
        string[] certificate = arguments.Any(a => a.StartsWith("-tls-cert-bundle", StringComparison.Ordinal) || a.StartsWith("--tls-cert-bundle", StringComparison.Ordinal)) ? [] : ["--self-signed", "--namespace=kube-system"];
        var replica = ModeProcess.Start(
            "webhook", Surroundings, ["--kubeconfig", Kubeconfig, "--bind-address=127.0.0.1", $"--bind-port={port}", $"--health-probe-bind-address=127.0.0.1:{health}", $"--metrics-bind-address=127.0.0.1:{health}", .. certificate, .. arguments]);
        replicas.Add(replica);
        HealthPorts[port] = health;
        await Tests.Kube.Eventually.IsTrueAsync(() => replica.HasExited || IsReadyAsync(port).Result, "the replica is ready");
        replica.HasExited.Should().BeFalse(replica.Log);
        return port;
    }

    /// <summary>What kubelet would make of a replica.</summary>
    private protected async Task<bool> IsReadyAsync(int port)
    {
        using var http = new HttpClient();
        try
        {
            using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{HealthPorts[port]}/readyz"));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>By the port of a replica, that of its probes and metrics.</summary>
    private protected Dictionary<int, int> HealthPorts { get; } = [];

    /// <summary>What the Service leads to from now on.</summary>
    private protected void Serve(params int[] ports) => services.Set(Service, [.. ports.Select(p => new IPEndPoint(IPAddress.Loopback, p))]);

    /// <summary>Sends a request as an administrator would.</summary>
    private protected async Task<Answer> SendAsync(HttpMethod method, string path, JsonNode? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, contentType);
        using var response = await Admin.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var warnings = response.Headers.Warning.Select(w => w.Text.Trim('"')).ToList();
        return new Answer((int)response.StatusCode, (JsonObject)JsonNode.Parse(text)!, warnings);
    }

    private protected Task<Answer> CreateAsync(JsonObject value, string query = "") => SendAsync(HttpMethod.Post, PathOf(value, withName: false) + query, value);

    private protected Task<Answer> UpdateAsync(JsonObject value) => SendAsync(HttpMethod.Put, PathOf(value, withName: true), value);

    private protected Task<Answer> DeleteAsync(JsonObject value) => SendAsync(HttpMethod.Delete, PathOf(value, withName: true));

    private protected static JsonObject TenantConfig(string name, string bodyJson)
    {
        var config = (JsonObject)JsonNode.Parse(bodyJson)!;
        (config["apiVersion"], config["kind"], config["metadata"]) = ("danm.io/v1", "TenantConfig", new JsonObject { ["name"] = name });
        return config;
    }

    private protected static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static string PathOf(JsonObject value, bool withName)
    {
        var plural = value["kind"].String()!.ToLowerInvariant() + "s";
        var ns = value.At("metadata", "namespace").String() is { } n ? $"namespaces/{n}/" : "";
        return $"/apis/danm.io/v1/{ns}{plural}{(withName ? $"/{value.At("metadata", "name").String()}" : "")}";
    }

    /// <summary>What the API server answered.</summary>
    /// <param name="Code">The HTTP status.</param>
    /// <param name="Body">The object, or a Status.</param>
    /// <param name="Warnings">The texts of the Warning headers.</param>
    private protected sealed record Answer(int Code, JsonObject Body, IReadOnlyList<string> Warnings)
    {
        public string Message => Body["message"].String() ?? "";

        /// <summary>The fields that are at fault.</summary>
        public IEnumerable<string> Fields => (Body.At("details", "causes") as JsonArray ?? []).Select(c => c!["field"].String()!);

        public Answer Accepted()
        {
            Code.Should().BeInRange(200, 201, Body.ToJsonString());
            return this;
        }
    }
}
