using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Security;

/// <summary>What a kubeconfig is to hold; with no credential at all the server's administrator token is used.</summary>
public sealed record KubeconfigOptions
{
    /// <summary>A name or address that the server's certificate covers. Default 127.0.0.1.</summary>
    public string Host { get; init; } = "127.0.0.1";

    public string? Token { get; init; }
    public string? TokenFile { get; init; }
    public X509Certificate2? ClientCertificate { get; init; }
    public string? Namespace { get; init; }

    /// <summary>Another authority than the server's, to see a client refuse it.</summary>
    public string? CertificateAuthorityPem { get; init; }

    /// <summary>A port other than the first listener's.</summary>
    public int? Port { get; init; }
}

/// <summary>Writes kubeconfigs as JSON, which is YAML too.</summary>
public static class Kubeconfig
{
    public static string Write(Uri server, string authorityPem, KubeconfigOptions options)
    {
        var user = new JsonObject();
        if (options.Token is not null)
            user["token"] = options.Token;
        if (options.TokenFile is not null)
            user["tokenFile"] = options.TokenFile;
        if (options.ClientCertificate is { } certificate)
        {
            using var key = certificate.GetECDsaPrivateKey()!;
            user["client-certificate-data"] = Base64(certificate.ExportCertificatePem());
            user["client-key-data"] = Base64(key.ExportPkcs8PrivateKeyPem());
        }
        var context = new JsonObject { ["cluster"] = "danm", ["user"] = "danm" };
        if (options.Namespace is not null)
            context["namespace"] = options.Namespace;
        var cluster = new JsonObject
        {
            ["server"] = server.GetLeftPart(UriPartial.Authority),
            ["certificate-authority-data"] = Base64(authorityPem),
        };
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["clusters"] = new JsonArray(new JsonObject { ["name"] = "danm", ["cluster"] = cluster }),
            ["users"] = new JsonArray(new JsonObject { ["name"] = "danm", ["user"] = user }),
            ["contexts"] = new JsonArray(new JsonObject { ["name"] = "danm", ["context"] = context }),
            ["current-context"] = "danm",
        }.ToJsonString(Json.Relaxed);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text + "\n"));
}
