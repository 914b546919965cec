using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>An API server with our CRDs, and a way to it.</summary>
public abstract class GarbageFixture
{
    private protected EmbeddedApiServer Server { get; private set; } = null!;
    private protected ApiClient Api { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        Api = TestClient.Connect(Server.Kubeconfig());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        Api.Dispose();
        await Server.DisposeAsync();
    }
}
