using System.Net;
using System.Net.Sockets;
using System.Text;
using Danm.Install;
using Danm.Kube;
using Danm.Kube.Serving;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Install;

/// <summary>What /readyz says while the API server is away, and nothing is due that only it can give.</summary>
public sealed class InstallerTests
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5), Fresh = TimeSpan.FromMinutes(6);

    private readonly HttpClient http = new();
    private ListLogger log = null!;
    private EmbeddedApiServer server = null!;
    private ApiClient api = null!;
    private DirectoryInfo folder = null!;
    private FakeTimeProvider clock = null!;
    private CancellationTokenSource end = null!;
    private Task running = null!;
    private int port;

    private string ConfDir => Path.Combine(folder.FullName, "net.d");

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
        {
            Manifests = [.. ((string[])["manifests/crds", "manifests/cni/plugin-rbac.yaml"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
        });
        server.Store.Create(Objects.Node("node-1"));
        api = TestClient.Connect(server.Kubeconfig());
        folder = Directory.CreateTempSubdirectory("danm-installer-");
        Directory.CreateDirectory(ConfDir);
        Configuration("10-pods.conf", "bridge");
        clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        log = new ListLogger();
        end = new CancellationTokenSource();
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        }

        running = new Installer(api, new InstallOptions
        {
            NodeName = "node-1", BinDir = Path.Combine(folder.FullName, "bin"), ConfDir = ConfDir, HostConfDir = ConfDir, Health = new BindAddress(IPAddress.Loopback, port),
            Server = server.Url.ToString(), CertificateAuthority = () => Encoding.ASCII.GetBytes(server.CertificateAuthority.Pem),
        }, "/bin/true", log, clock).RunAsync("test", end.Token);
        await ExpectAsync(HttpStatusCode.OK, "");
    }

    [TearDown]
    public async Task Stop()
    {
        await end.CancelAsync();
        await running;
        end.Dispose();
        api.Dispose();
        await server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [OneTimeTearDown]
    public void Close() => http.Dispose();

    [Test]
    public async Task What_others_do_to_the_node_is_told_until_it_is_mended()
    {
        await LoseServerAsync();
        await ExpectAsync(HttpStatusCode.OK, "");

        Configuration("00-calico.conf", "calico");
        await ExpectAsync(HttpStatusCode.InternalServerError, "comes before 00-danm.conflist");

        File.Delete(Path.Combine(ConfDir, "00-calico.conf"));
        await ExpectAsync(HttpStatusCode.OK, "");
    }

    [Test]
    public async Task What_was_wrong_before_stays_told()
    {
        File.Delete(Path.Combine(ConfDir, "10-pods.conf"));
        await ExpectAsync(HttpStatusCode.InternalServerError, "waiting for 10-pods.conf");

        await LoseServerAsync();

        await ExpectAsync(HttpStatusCode.InternalServerError, "waiting for 10-pods.conf");
    }

    private void Configuration(string name, string type) => File.WriteAllText(Path.Combine(ConfDir, name), $$"""{"name":"pods","type":"{{type}}"}""");

    /// <summary>Until it has been asked for, and not answered.</summary>
    private async Task LoseServerAsync()
    {
        server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        clock.Advance(Fresh);
        await EndToEnd.Netwatcher.Eventually.HoldsAsync(
            () =>
            {
                clock.Advance(Round);
                log.Lines.Should().Contain(l => l.Contains("/nodes/node-1"));
            },
            seconds: 30);
    }

    private Task ExpectAsync(HttpStatusCode code, string expected) => EndToEnd.Netwatcher.Eventually.HoldsAsync(
        async () =>
        {
            clock.Advance(Round);
            using var answer = await http.GetAsync($"http://127.0.0.1:{port}/readyz?verbose");
            var text = await answer.Content.ReadAsStringAsync();
            (answer.StatusCode, text).Should().Match<(HttpStatusCode Code, string Text)>(a => a.Code == code && a.Text.Contains(expected));
        },
        seconds: 30);
}
