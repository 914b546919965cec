using Danm.Kube;
using k8s;

namespace Danm.Cli;

/// <summary>How a long-lived mode reaches the API server: by a kubeconfig, else as the Pod that it runs in.</summary>
internal static class ModeConnection
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A client whose requests are counted.</summary>
    /// <param name="kubeconfig">A file; null: the Pod's service account.</param>
    /// <exception cref="KubeConfigException">Neither can be used.</exception>
    public static ApiClient Open(string? kubeconfig) =>
        new(kubeconfig is null ? InCluster() : KubeConfig.Load(kubeconfig), Patience) { Answered = RestClientMetrics.Count };

    private static KubernetesClientConfiguration InCluster() => KubernetesClientConfiguration.IsInCluster()
        ? KubernetesClientConfiguration.InClusterConfig()
        : throw new KubeConfigException("not in a Pod with a service account: name a kubeconfig with --kubeconfig FILE");
}
