using System.Runtime.InteropServices;
using k8s;

namespace Danm.Kube;

/// <summary>
/// Keeps .NET from loading the host's trust store (55 ms CPU) to build a chain that must end in the kubeconfig's own authority.
/// OpenSSL's file and folder are read from the process's C environment, which the managed call does not change.
/// </summary>
internal static partial class TrustStore
{
    private static int done;

    public static void SkipSystem(KubernetesClientConfiguration configuration)
    {
        if (configuration.SslCaCerts is not { Count: > 0 } || Interlocked.Exchange(ref done, 1) != 0)
            return;
        _ = SetEnv("SSL_CERT_DIR", "/nonexistent", 1);
        _ = SetEnv("SSL_CERT_FILE", "/nonexistent", 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
