using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Danm.Kube.Watching;
using Danm.Svcwatcher.View;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Svcwatcher.View;

public sealed class ClusterViewTests
{
    // Between two lists of Pods one went and another of its name and labels came: no event says so.
    [Test]
    public async Task An_interface_gets_the_labels_of_a_Pod_that_took_anothers_place_between_two_lists()
    {
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds/danmeps.yaml")] });
        using var api = TestClient.Connect(server.Kubeconfig());
        using var stop = new CancellationTokenSource();
        server.Store.Create(Pod());
        var view = new ClusterView(api, _ => { });
        var relabelled = new ConcurrentQueue<ObjectKey>();
        view.Relabelled += relabelled.Enqueue;
        var running = view.RunAsync(stop.Token);
        await view.Complete.WaitAsync(TimeSpan.FromSeconds(20));

        server.Faults.Add(new Fault(r => r.Resource == "pods") { Answer = Fault.InternalError() });
        server.Store.CloseWatches("v1", "Pod");
        server.Store.Delete("v1", "Pod", "default", "p");
        var later = server.Store.Create(Pod());
        server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1",
            ["kind"] = "DanmEp",
            ["metadata"] = new JsonObject { ["name"] = "ep", ["namespace"] = "default", ["labels"] = new JsonObject { ["app"] = "old" } },
            ["spec"] = new JsonObject { ["Pod"] = "p", ["PodUID"] = later.At("metadata", "uid").String(), ["NetworkName"] = "n", ["Interface"] = new JsonObject { ["Name"] = "eth0" } },
        });
        // Its interface is known before its Pod is.
        await EndToEnd.Netwatcher.Eventually.HoldsAsync(() => server.Requests.All.Should().Contain(r => r.Resource == "pods" && r.Status == 500));
        await Task.Delay(500);
        relabelled.Should().BeEmpty("the Pod that is known has no such interface");
        server.Store.Compact();
        server.Faults.Clear();

        await EndToEnd.Netwatcher.Eventually.HoldsAsync(() => relabelled.Should().Contain(new ObjectKey("default", "ep")), seconds: 20);
        await stop.CancelAsync();
        await running;

        static JsonObject Pod() => Objects.Pod("p", null, labels: new JsonObject { ["app"] = "x" });
    }
}
