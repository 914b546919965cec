using System.Collections.Concurrent;
using Danm.Kube;
using Danm.Svcwatcher;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>
/// An API server and one svcwatcher, sometimes two, in this process: all of the mode but its Lease, so that two may work at once. Its second
/// is a fiftieth of ours.
/// </summary>
internal sealed class ModelCluster : IAsyncDisposable
{
    private const int Speed = 50;

    private readonly Queue<(ApiClient Api, CancellationTokenSource Stop, Task Running)> watchers = [];

    private ModelCluster(EmbeddedApiServer server)
    {
        Server = server;
        server.Store.Listen((kind, before, after) =>
        {
            if (after is not null && kind is "Pod" or "Service" or "DanmEp" or "EndpointSlice")
                Witness.See(kind, after!.Parse());
        });
    }

    public EmbeddedApiServer Server { get; }

    public ApiStore Store => Server.Store;

    public SliceWitness Witness { get; } = new();

    /// <summary>What svcwatcher logs.</summary>
    public ListLogger Log { get; } = new();

    /// <param name="collectsGarbage">Whether slices go with their Service; where they do so late, svcwatcher meets those of the one before.</param>
    public static async Task<ModelCluster> StartAsync(bool collectsGarbage)
    {
        var cluster = new ModelCluster(await EmbeddedApiServer.StartAsync(new ApiServerOptions { CollectsGarbage = collectsGarbage, Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds/danmeps.yaml")] }));
        foreach (var space in ClusterHistory.Spaces)
            cluster.Store.Create(new System.Text.Json.Nodes.JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = space } });
        cluster.Begin();
        return cluster;
    }

    /// <summary>One more begins.</summary>
    public void Begin()
    {
        var (api, stop) = (TestClient.Connect(Server.Kubeconfig()), new CancellationTokenSource());
        var mode = new SvcwatcherMode(api, new SvcwatcherOptions { Endpoints = true }, Log, new FastClock(Speed));
        watchers.Enqueue((api, stop, Task.Run(() => mode.RunAsync(stop.Token))));
    }

    /// <summary>The oldest ones end until so many are left.</summary>
    public async Task EndAsync(int left)
    {
        while (watchers.Count > left)
        {
            var (api, stop, running) = watchers.Dequeue();
            await stop.CancelAsync();
            await running;
            stop.Dispose();
            api.Dispose();
        }
    }

    /// <summary>How one that should run has ended; null: it runs.</summary>
    public string? WhyEnded => watchers.Where(w => w.Running.IsCompleted).Select(w => w.Running.Exception?.ToString() ?? "it ended by itself").FirstOrDefault();

    public async ValueTask DisposeAsync()
    {
        await EndAsync(0);
        await Server.DisposeAsync();
    }
}
