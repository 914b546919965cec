using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>Where the certificate comes from, and that the API server never meets one that it does not trust.</summary>
[TestFixture, Parallelizable]
public sealed class CertificateTests : WebhookFixture
{
    private protected override int Replicas => 0;

    private int created;

    [SetUp]
    public async Task Forget()
    {
        // What the last test's make of the configuration must not be this one's.
        await StopReplicasAsync();
        if (Server.Store.Get("v1", "Secret", "kube-system", "danm-webhook-tls") is not null)
            Server.Store.Delete("v1", "Secret", "kube-system", "danm-webhook-tls");
    }

    [Test]
    public async Task Three_replicas_that_start_at_once_agree_on_one_certificate()
    {
        var ports = await Task.WhenAll(StartReplicaAsync(), StartReplicaAsync(), StartReplicaAsync());

        var served = await Task.WhenAll(ports.Select(ThumbprintAsync));

        served.Distinct().Should().ContainSingle();
        foreach (var port in ports)
        {
            Serve(port);
            await AcceptedAsync();
        }
    }

    [Test]
    public async Task Certificates_of_seconds_are_replaced_again_and_again_and_no_request_fails()
    {
        // A certificate of 24 s is replaced every 16 s, its authority of 240 s after 192 s.
        Serve(await StartReplicaAsync("--certificate-validity=24s"), await StartReplicaAsync("--certificate-validity=24s"));
        var port = HealthPorts.Keys.Last();
        var seen = new HashSet<string>();

        for (var end = DateTime.UtcNow + TimeSpan.FromSeconds(45); DateTime.UtcNow < end; await Task.Delay(100))
        {
            await AcceptedAsync();
            seen.Add(await ThumbprintAsync(port));
        }

        seen.Count.Should().BeInRange(3, 5);
        Running[^1].Log.Should().NotContain("expired");
    }

    [Test]
    public async Task Files_are_read_again_when_they_change_and_the_originals_arguments_start_it()
    {
        using var authority = new CertificateAuthority("site-ca");
        Write(authority);
        var port = await StartReplicaAsync($"-tls-cert-bundle={InFolder("cert.pem")}", $"-tls-private-key-file={InFolder("key.pem")}", "bind-port=8443");
        Serve(port);
        Trust(authority.Pem);
        await AcceptedAsync();
        var first = await ThumbprintAsync(port);
        Running[^1].Log.Should().Contain("the word bind-port=8443 on the command line is no flag, and ignored");

        Write(authority);

        await Eventually.HoldsAsync(() => ThumbprintAsync(port).Result.Should().NotBe(first));
        await AcceptedAsync();
    }

    [Test]
    public async Task Members_of_the_Secret_that_are_not_ours_stay_and_a_broken_one_is_made_anew()
    {
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Secret", ["metadata"] = new JsonObject { ["name"] = "danm-webhook-tls", ["namespace"] = "kube-system" },
            ["type"] = "Opaque",
            ["data"] = new JsonObject { ["note"] = "aGVsbG8=", ["tls.crt"] = Convert.ToBase64String("rubbish"u8) },
        });

        Serve(await StartReplicaAsync());

        await AcceptedAsync();
        Server.Store.Get("v1", "Secret", "kube-system", "danm-webhook-tls").At("data", "note").String().Should().Be("aGVsbG8=");
    }

    [Test]
    public async Task Without_a_certificate_it_is_not_ready_and_denies_by_failing()
    {
        Server.Faults.Add(new ApiServer.Http.Fault(ApiServer.Http.Fault.On(null, "secrets")) { Answer = new StatusException(500, "InternalError", "away") });
        var health = FreePort();
        await using var replica = ModeProcess.Start(
            "webhook", "--kubeconfig", Kubeconfig, "--bind-address=127.0.0.1", $"--bind-port={FreePort()}", "--self-signed", "--namespace=kube-system", $"--health-probe-bind-address=127.0.0.1:{health}");
        await Eventually.HoldsAsync(() => replica.Log.Should().Contain("certificate: "));
        using var http = new HttpClient();

        using var ready = await http.GetAsync(new Uri($"http://127.0.0.1:{health}/readyz"));
        (await ready.Content.ReadAsStringAsync()).Should().Contain("[-]certificate failed: there is no certificate yet");
        (await http.GetStringAsync(new Uri($"http://127.0.0.1:{health}/livez"))).Should().Be("ok");
    }

    [TestCase("")]
    [TestCase("--tls-cert-bundle=x")]
    [TestCase("--self-signed --tls-cert-bundle=x --tls-private-key-file=y")]
    [TestCase("--self-signed --bind-port=0")]
    [TestCase("--self-signed --bind-port=x")]
    [TestCase("--self-signed --bind-address=nowhere")]
    [TestCase("--self-signed --shutdown-delay=soon")]
    [TestCase("--self-signed --shutdown-delay=1h")]
    [TestCase("--self-signed --certificate-validity=0")]
    [TestCase("--self-signed --certificate-validity=900000h")]
    public async Task Wrong_arguments_are_told_with_exit_code_2(string arguments)
    {
        await using var replica = ModeProcess.Start("webhook", ["--kubeconfig", Kubeconfig, .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        (await replica.EndAsync()).Should().Be(2, replica.Log);
        replica.Log.Should().StartWith("error: ");
    }

    private async Task AcceptedAsync() => (await CreateAsync(Objects.Network("DanmNet", $"n{created++}", """{"NetworkID":"n","Options":{"host_device":"ens4"}}"""))).Accepted();

    private void Trust(string pem)
    {
        var configuration = Server.Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!;
        foreach (var webhook in configuration["webhooks"]!.AsArray())
            webhook!["clientConfig"]!["caBundle"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));
        Server.Store.Update(configuration);
    }

    private void Write(CertificateAuthority authority)
    {
        using var certificate = authority.IssueServer("danm-webhook-svc.kube-system.svc");
        File.WriteAllText(InFolder("cert.pem"), certificate.ExportCertificatePem());
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(InFolder("key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    private static async Task<string> ThumbprintAsync(int port)
    {
        using var socket = new TcpClient("127.0.0.1", port);
        string? thumbprint = null;
        await using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) =>
        {
            thumbprint = ((X509Certificate2)certificate!).Thumbprint;
            return true;
        });
        await tls.AuthenticateAsClientAsync("danm-webhook-svc.kube-system.svc");
        return thumbprint!;
    }
}
