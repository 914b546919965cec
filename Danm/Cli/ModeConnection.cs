using Danm.Kube;
using k8s;

namespace Danm.Cli;

/// <summary>How a long-lived mode reaches the API server.</summary>
internal static class ModeConnection
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Connects lazily.</summary>
    /// <param name="kubeconfig">The file; null: the Pod's own service account.</param>
    /// <exception cref="KubeConfigException">The file cannot be used, or there is no service account.</exception>
    public static ApiClient Open(string? kubeconfig) => new(kubeconfig is null ? InCluster() : KubeConfig.Load(kubeconfig), Patience) { Answered = RestClientMetrics.Count };

    private static KubernetesClientConfiguration InCluster() => KubernetesClientConfiguration.IsInCluster()
        ? KubernetesClientConfiguration.InClusterConfig()
        : throw new KubeConfigException("not in a Pod with a service account: name a kubeconfig with --kubeconfig FILE");
}
