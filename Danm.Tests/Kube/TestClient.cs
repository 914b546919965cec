using Danm.Kube;

namespace Danm.Tests.Kube;

/// <summary>Our client, from the text of a kubeconfig.</summary>
internal static class TestClient
{
    public static ApiClient Connect(string kubeconfig, TimeSpan? patience = null)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, kubeconfig);
            return new ApiClient(KubeConfig.Load(file), patience ?? TimeSpan.FromSeconds(10));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
