using Danm.Api;
using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Kube.Queues;
using Danm.Kube.Watching;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Microsoft.Extensions.Logging;

namespace Danm.Tests.Kube;

/// <summary>How the parts of Kube make a controller.</summary>
public sealed class ExampleTests
{
    /// <summary>Keeps the label <c>networks</c> of each Pod equal to how many its annotation asks for, on one of any number of replicas.</summary>
    private sealed class NetworkCounter(ApiClient api, ILogger log)
    {
        public Task RunAsync(string identity, CancellationToken stopping) =>
            new LeaderElector(api, new() { Namespace = "kube-system", Name = "network-counter", Identity = identity }, log).RunAsync(LeadAsync, stopping);

        private async Task LeadAsync(CancellationToken leading)
        {
            using var queue = new WorkQueue<ObjectKey>("network-counter");
            var pods = new Informer<Pod>(api, ResourcePath.Core("pods", null), ApiJson.Default.Pod, new InformerOptions());
            pods.Changed += change =>
            {
                if ((change.After ?? change.Before) is { } pod)
                    queue.Add(ObjectKey.Of(pod));
            };
            var loop = new ReconcileLoop<ObjectKey>(queue, (key, cancellation) => ReconcileAsync(pods.Find(key), cancellation), log, new() { Workers = 4 });
            await Task.WhenAll(pods.RunAsync(leading), loop.RunAsync(leading));
        }

        private async Task<Reconciled> ReconcileAsync(Pod? pod, CancellationToken cancellation)
        {
            var count = pod?.Metadata.Annotations?.GetValueOrDefault(ApiNames.InterfacesAnnotation)?.Split("etwork\"").Length - 1 ?? 0;
            if (pod is null || pod.Metadata.Labels?.GetValueOrDefault("networks") == $"{count}")
                return Reconciled.Done;
            var patch = new Pod { Metadata = new ObjectMeta { Labels = new() { ["networks"] = $"{count}" } } };
            await api.PatchAsync(ResourcePath.Core("pods", pod.Metadata.Namespace, pod.Metadata.Name), patch, ApiJson.Default.Pod, cancellation);
            return Reconciled.Done;
        }
    }

    [Test]
    public async Task Example_a_controller_with_a_leader_an_informer_a_queue_and_workers()
    {
        await using var server = await EmbeddedApiServer.StartAsync();
        using var api = TestClient.Connect(server.Kubeconfig());
        var log = new ListLogger();
        using var stopping = new CancellationTokenSource();
        server.Store.Create(Objects.Pod("a", """[{"network":"x"},{"clusterNetwork":"y"}]"""));

        var replicas = new[] { "one", "two" }.Select(identity => new NetworkCounter(api, log).RunAsync(identity, stopping.Token)).ToArray();
        await LabelledAsync("a", "2");
        server.Store.Create(Objects.Pod("b", """[{"tenantNetwork":"x"}]"""));
        await LabelledAsync("b", "1");
        server.Faults.Add(new(r => r.Verb == "patch") { Count = 1, Answer = new StatusException(409, "Conflict", "try again") });
        server.Store.Create(Objects.Pod("c", null));
        await LabelledAsync("c", "0");

        await stopping.CancelAsync();
        await Task.WhenAll(replicas).WaitAsync(TimeSpan.FromSeconds(30));
        server.Requests.Where("patch").Select(r => r.Name).Should().Equal("a", "b", "c", "c");
        log.Lines.Where(l => l.StartsWith("Warning", StringComparison.Ordinal)).Should().ContainSingle().Which.Should().Contain("network-counter: default/c failed, tried again in 0.005 s: ");

        Task LabelledAsync(string pod, string count) =>
            Eventually.IsTrueAsync(() => server.Store.Get("v1", "Pod", "default", pod).At("metadata", "labels", "networks").String() == count, pod);
    }
}
