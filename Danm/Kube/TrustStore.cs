using System.Runtime.InteropServices;
using k8s;

namespace Danm.Kube;

/// <summary>
/// Keeps .NET from looking for certificates where none of ours are. OpenSSL reads the process's C environment, which the managed call
/// does not change.
/// </summary>
internal static partial class TrustStore
{
    private const string Nowhere = "/nonexistent";

    public static void SkipSystem(KubernetesClientConfiguration configuration)
    {
        // Every chain is built from the user's own store too. Where HOME is not set, /etc/passwd must tell it, and need not exist.
        Environment.SetEnvironmentVariable("HOME", Nowhere);
        // To load the host's store takes 55 ms CPU, for a chain that must end in the kubeconfig's own authority.
        if (configuration.SslCaCerts is not { Count: > 0 })
            return;
        _ = SetEnv("SSL_CERT_DIR", Nowhere, 1);
        _ = SetEnv("SSL_CERT_FILE", Nowhere, 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
