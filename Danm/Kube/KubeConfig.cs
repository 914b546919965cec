using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using k8s;
using YamlDotNet.Core;

namespace Danm.Kube;

/// <summary>Reads a kubeconfig into the client's configuration, on the CNI path in well under a millisecond.</summary>
public static class KubeConfig
{
    private const int MaxFileSize = 1 << 20;

    /// <summary>
    /// Loads the current context of the kubeconfig at <paramref name="path"/>. What begins with a brace is JSON (which is YAML too, and
    /// what the installer writes). A token file is read again by the client as it is renewed; relative file names count from the
    /// kubeconfig's own folder, as in client-go.
    /// </summary>
    /// <param name="path">The kubeconfig.</param>
    /// <param name="contextName">Another context than its current one.</param>
    /// <exception cref="KubeConfigException">The file is missing, unreadable, no kubeconfig, or uses what a plugin cannot (exec).</exception>
    public static KubernetesClientConfiguration Load(string path, string? contextName = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Read(ReadFile(path), path, contextName);
    }

    /// <summary>The same of a content that is to be written to the path, or is there.</summary>
    /// <exception cref="KubeConfigException">It is no kubeconfig, or uses what a plugin cannot.</exception>
    internal static KubernetesClientConfiguration Read(byte[] content, string path, string? contextName = null)
    {
        var file = Parse(content, path);
        var context = file.Contexts?.Find(c => c?.Name == (contextName ?? file.CurrentContext))?.Context
            ?? throw new KubeConfigException($"kubeconfig \"{path}\" has no context \"{contextName ?? file.CurrentContext}\"{(contextName is null ? " (its current-context)" : "")}");
        var cluster = file.Clusters?.Find(c => c?.Name == context.Cluster)?.Cluster
            ?? throw new KubeConfigException($"kubeconfig \"{path}\" has no cluster \"{context.Cluster}\"");
        var user = file.Users?.Find(u => u?.Name == context.User)?.User
            ?? throw new KubeConfigException($"kubeconfig \"{path}\" has no user \"{context.User}\"");
        if (!Uri.TryCreate(cluster.Server, UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http"))
            throw new KubeConfigException($"kubeconfig \"{path}\": server \"{cluster.Server}\" is no http(s) address");

        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var configuration = new KubernetesClientConfiguration
        {
            Host = server.ToString().TrimEnd('/'),
            Namespace = context.Namespace,
            SkipTlsVerify = cluster.InsecureSkipTlsVerify,
            TlsServerName = cluster.TlsServerName,
        };
        SetCertificateAuthority(configuration, cluster, folder, path);
        SetUser(configuration, user, folder, path);
        return configuration;
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxFileSize })
                throw new KubeConfigException($"kubeconfig \"{path}\" is larger than {MaxFileSize} bytes");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new KubeConfigException($"cannot read kubeconfig \"{path}\": {e.Message}", e);
        }
    }

    private static KubeConfigFile Parse(byte[] content, string path)
    {
        try
        {
            if (content.AsSpan().StartsWith(Encoding.UTF8.Preamble))
                content = content[Encoding.UTF8.Preamble.Length..];
            var start = content.AsSpan().TrimStart(" \t\r\n"u8);
            var json = start.StartsWith("{"u8) ? content : YamlJson.ToJson(Encoding.UTF8.GetString(content));
            return JsonSerializer.Deserialize(json, KubeConfigJson.Default.KubeConfigFile)
                ?? throw new KubeConfigException($"kubeconfig \"{path}\" is empty");
        }
        catch (Exception e) when (e is JsonException or YamlException or InvalidOperationException or FormatException)
        {
            throw new KubeConfigException($"kubeconfig \"{path}\" is not valid: {e.Message}", e);
        }
    }

    private static void SetCertificateAuthority(
        KubernetesClientConfiguration configuration, KubeConfigFile.Cluster cluster, string folder, string path)
    {
        try
        {
            var certificates = new X509Certificate2Collection();
            if (!string.IsNullOrEmpty(cluster.CertificateAuthorityData))
                certificates.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(cluster.CertificateAuthorityData)));
            else if (!string.IsNullOrEmpty(cluster.CertificateAuthority))
                certificates.ImportFromPem(Encoding.UTF8.GetString(ReadFile(Path.Combine(folder, cluster.CertificateAuthority))));
            else
                return;
            if (certificates.Count == 0)
                throw new KubeConfigException($"kubeconfig \"{path}\": its certificate authority holds no PEM certificate");
            configuration.SslCaCerts = certificates;
        }
        catch (Exception e) when (e is FormatException or System.Security.Cryptography.CryptographicException)
        {
            throw new KubeConfigException($"kubeconfig \"{path}\": cannot read the certificate authority: {e.Message}", e);
        }
    }

    private static void SetUser(KubernetesClientConfiguration configuration, KubeConfigFile.User user, string folder, string path)
    {
        // As in client-go, a token file wins over a token: it is the one that is renewed.
        if (!string.IsNullOrEmpty(user.TokenFile))
            configuration.TokenProvider = new TokenFile(Path.Combine(folder, user.TokenFile));
        else if (!string.IsNullOrEmpty(user.Token))
            configuration.AccessToken = user.Token;
        else if (!string.IsNullOrEmpty(user.Username))
            (configuration.Username, configuration.Password) = (user.Username, user.Password);

        if (!string.IsNullOrEmpty(user.ClientCertificateData) && !string.IsNullOrEmpty(user.ClientKeyData))
        {
            configuration.ClientCertificateData = user.ClientCertificateData;
            configuration.ClientCertificateKeyData = user.ClientKeyData;
        }
        else if (!string.IsNullOrEmpty(user.ClientCertificate) && !string.IsNullOrEmpty(user.ClientKey))
        {
            configuration.ClientCertificateFilePath = Path.Combine(folder, user.ClientCertificate);
            configuration.ClientKeyFilePath = Path.Combine(folder, user.ClientKey);
        }
        else if (configuration.TokenProvider is null && configuration.AccessToken is null && configuration.Username is null)
        {
            throw new KubeConfigException(
                $"kubeconfig \"{path}\": its user has no token, tokenFile or client certificate (exec and auth-provider need a terminal)");
        }
    }
}

/// <summary>A kubeconfig that cannot be used; the message says which file and what to mend.</summary>
public sealed class KubeConfigException(string message, Exception? inner = null) : Exception(message, inner);
