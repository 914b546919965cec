using System.Text.Json.Serialization;

namespace Danm.Kube;

/// <summary>
/// The members of a kubeconfig that a client without a terminal can use (client-go <c>clientcmd/api/v1</c>).
/// KubernetesClient's own model knows no <c>tokenFile</c>, and reading it from YAML costs 7 ms.
/// </summary>
internal sealed class KubeConfigFile
{
    [JsonPropertyName("current-context")] public string? CurrentContext { get; set; }
    [JsonPropertyName("clusters")] public List<NamedCluster?>? Clusters { get; set; }
    [JsonPropertyName("users")] public List<NamedUser?>? Users { get; set; }
    [JsonPropertyName("contexts")] public List<NamedContext?>? Contexts { get; set; }

    internal sealed class NamedCluster
    {
        [JsonPropertyName("name")] public string? Name { get; set; }
        [JsonPropertyName("cluster")] public Cluster? Cluster { get; set; }
    }

    internal sealed class Cluster
    {
        [JsonPropertyName("server")] public string? Server { get; set; }
        [JsonPropertyName("certificate-authority")] public string? CertificateAuthority { get; set; }
        [JsonPropertyName("certificate-authority-data")] public string? CertificateAuthorityData { get; set; }
        [JsonPropertyName("insecure-skip-tls-verify")] public bool InsecureSkipTlsVerify { get; set; }
        [JsonPropertyName("tls-server-name")] public string? TlsServerName { get; set; }
    }

    internal sealed class NamedUser
    {
        [JsonPropertyName("name")] public string? Name { get; set; }
        [JsonPropertyName("user")] public User? User { get; set; }
    }

    internal sealed class User
    {
        [JsonPropertyName("token")] public string? Token { get; set; }
        [JsonPropertyName("tokenFile")] public string? TokenFile { get; set; }
        [JsonPropertyName("client-certificate")] public string? ClientCertificate { get; set; }
        [JsonPropertyName("client-certificate-data")] public string? ClientCertificateData { get; set; }
        [JsonPropertyName("client-key")] public string? ClientKey { get; set; }
        [JsonPropertyName("client-key-data")] public string? ClientKeyData { get; set; }
        [JsonPropertyName("username")] public string? Username { get; set; }
        [JsonPropertyName("password")] public string? Password { get; set; }
    }

    internal sealed class NamedContext
    {
        [JsonPropertyName("name")] public string? Name { get; set; }
        [JsonPropertyName("context")] public Context? Context { get; set; }
    }

    internal sealed class Context
    {
        [JsonPropertyName("cluster")] public string? Cluster { get; set; }
        [JsonPropertyName("user")] public string? User { get; set; }
        [JsonPropertyName("namespace")] public string? Namespace { get; set; }
    }
}

[JsonSerializable(typeof(KubeConfigFile))]
[JsonSourceGenerationOptions(MaxDepth = 16)]
internal sealed partial class KubeConfigJson : JsonSerializerContext;
