using System.Security.Cryptography.X509Certificates;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>A webhook on a node, with a certificate from files, as the API server would meet it.</summary>
internal sealed class ServedWebhook(HostNode node)
{
    private const string Host = "danm-webhook-svc.kube-system.svc";

    private const string Review = """
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "operation": "CREATE",
         "kind": {"group": "danm.io", "version": "v1", "kind": "DanmNet"}, "resource": {"group": "danm.io", "version": "v1", "resource": "danmnets"},
         "namespace": "default", "name": "net", "userInfo": {"username": "somebody"}, "object": {"apiVersion": "danm.io/v1", "kind": "DanmNet",
         "metadata": {"namespace": "default", "name": "net"}, "spec": {"NetworkID": "net", "Options": {"host_device": "ens4", "cidr": "CIDR"} } } } }
        """;

    /// <summary>Its arguments, in the original's spelling where it has one.</summary>
    /// <param name="folder">Where it sees the files.</param>
    public static string[] Arguments(string folder) =>
        [$"-tls-cert-bundle={folder}/cert.pem", $"-tls-private-key-file={folder}/key.pem", "-bind-port=8443", $"--kubeconfig={folder}/kubeconfig", "--health-probe-bind-address=127.0.0.1:8091", "--metrics-bind-address=0"];

    /// <summary>Writes the certificate, its key and a kubeconfig, for any user to read.</summary>
    public void WriteFiles(string folder)
    {
        using var authority = new CertificateAuthority("site-ca");
        using var certificate = authority.IssueServer(Host);
        using var key = certificate.GetECDsaPrivateKey()!;
        node.WriteFile("authority.pem", authority.Pem);
        File.WriteAllText(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "kubeconfig"), node.KubeconfigText());
    }

    /// <summary>Waits until it is ready, and has it check a right and a wrong network over TLS.</summary>
    public async Task ExpectServedAsync()
    {
        await node.EventuallyAsync("curl -s http://127.0.0.1:8091/readyz", text => text.Should().Be("ok"));

        (await ReviewAsync("10.1.0.0/24")).Should().Contain("\"allowed\":true");
        (await ReviewAsync("10.1.0.0/99")).Should().Contain("\"allowed\":false").And.Contain("10.1.0.0/99");
    }

    private Task<string> ReviewAsync(string cidr) => node.ShellAsync($"""
        curl -s --cacert {node.PathOf("authority.pem")} --resolve {Host}:8443:127.0.0.1 -H 'Content-Type: application/json' https://{Host}:8443/netvalidation -d @- <<'BODY'
        {Review.Replace("CIDR", cidr, StringComparison.Ordinal)}
        BODY
        """);
}
