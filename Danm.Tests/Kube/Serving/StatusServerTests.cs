using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Danm.Kube.Serving;

namespace Danm.Tests.Kube.Serving;

/// <summary>The endpoints as a kubelet and Prometheus ask them.</summary>
[TestFixture]
public sealed class StatusServerTests
{
    private readonly HttpClient http = new();

    [OneTimeTearDown]
    public void Dispose() => http.Dispose();

    [Test]
    public async Task Answers_probes_as_Kubernetes_own_programs_do()
    {
        var (health, metrics) = (Free(), Free());
        string? trouble = null;
        var checks = new HealthChecks();
        checks.Add("informers", Probe.Ready, () => trouble);
        await using var server = await StatusServer.StartAsync(health, metrics, checks);

        (await GetAsync(health, "/readyz")).Should().Be((HttpStatusCode.OK, "ok"));
        (await GetAsync(health, "/readyz?verbose")).Should().Be((HttpStatusCode.OK, "[+]informers ok\n[+]ping ok\nreadyz check passed\n"));
        trouble = "danmnets have not been listed yet";

        (await GetAsync(health, "/readyz")).Should().Be((HttpStatusCode.InternalServerError, "[-]informers failed: danmnets have not been listed yet\n[+]ping ok\nreadyz check failed\n"));
        (await GetAsync(health, "/readyz?exclude=informers")).Should().Be((HttpStatusCode.OK, "ok"));
        (await GetAsync(health, "/livez")).Should().Be((HttpStatusCode.OK, "ok"), "a program that waits is not mended by a restart");
        (await GetAsync(health, "/healthz?verbose")).Should().Be((HttpStatusCode.OK, "[+]ping ok\nhealthz check passed\n"));
        (await GetAsync(health, "/metrics")).Code.Should().Be(HttpStatusCode.NotFound);
        (await GetAsync(metrics, "/readyz")).Code.Should().Be(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Serves_what_our_meters_measure_in_the_form_of_Prometheus()
    {
        using var meter = new Meter("Danm.Test");
        var address = Free();
        await using var server = await StatusServer.StartAsync(address, address, new HealthChecks());
        meter.CreateCounter<long>("workqueue_adds").Add(3, new KeyValuePair<string, object?>("name", "pods"));
        meter.CreateHistogram<double>("workqueue_queue_duration", unit: "s").Record(0.25);

        var (code, text) = await GetAsync(address, "/metrics");

        code.Should().Be(HttpStatusCode.OK);
        text.Should().MatchRegex("""(?m)^workqueue_adds_total\{[^}]*name="pods"[^}]*\} 3( |$)""").And.MatchRegex("(?m)^workqueue_queue_duration_seconds_count");
        text.Should().Contain("dotnet_gc_collections_total");
    }

    [Test]
    public async Task A_port_that_is_taken_is_an_error_that_names_it()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var start = () => StatusServer.StartAsync(new BindAddress(IPAddress.Loopback, port), null, new HealthChecks());

        (await start.Should().ThrowAsync<IOException>()).WithMessage($"*{port}*");
    }

    [Test]
    public async Task A_program_without_addresses_listens_nowhere()
    {
        var before = Listening();
        await using var server = await StatusServer.StartAsync(null, null, new HealthChecks());
        Listening().Except(before).Should().NotContain("5000");
    }

    private static string[] Listening() => [.. System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => $"{l.Port}")];

    private static BindAddress Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new BindAddress(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port);
    }

    private async Task<(HttpStatusCode Code, string Text)> GetAsync(BindAddress address, string path)
    {
        using var response = await http.GetAsync($"http://{address}{path}");
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
