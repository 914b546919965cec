using Danm.Kube;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>What the other ways need of a cluster.</summary>
internal static class Rivals
{
    /// <summary>Their CustomResourceDefinitions.</summary>
    public static string Manifest => Path.Combine(AppContext.BaseDirectory, "Benchmarks", "Ipam", "rivals.yaml");

    /// <summary>A client for each caller, authorized as the cluster's administrator.</summary>
    public static RivalClient[] Connect(ITestCluster cluster, int callers)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, cluster.Kubeconfig());
            var configuration = KubeConfig.Load(file);
            return [.. Enumerable.Range(0, callers).Select(_ => new RivalClient(TestCluster.Client(cluster.Url, configuration.SslCaCerts[0], configuration.AccessToken)))];
        }
        finally
        {
            File.Delete(file);
        }
    }
}
