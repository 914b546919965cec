using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Elections;

/// <summary>One elector, by a clock that the test moves, against the embedded server.</summary>
public abstract class LeaseFixture
{
    private protected static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private protected EmbeddedApiServer server = null!;
    private protected ApiClient api = null!;
    private protected FakeTimeProvider clock = null!;
    private protected ListLogger log = null!;
    private protected CancellationTokenSource stop = null!;
    private protected TaskCompletionSource leads = null!;
    private protected TaskCompletionSource stops = null!;
    private protected LeaderElector elector = null!;
    private protected Task running = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync();
        api = TestClient.Connect(server.Kubeconfig());
        clock = new FakeTimeProvider(Noon);
        (log, stop, leads, stops) = (new(), new(), new(), new());
        elector = new LeaderElector(api, new LeaderElectorOptions { Namespace = "kube-system", Name = "x", Identity = "me" }, log, clock);
    }

    [TearDown]
    public async Task Stop()
    {
        server.Faults.Clear();
        await stop.CancelAsync();
        stops.TrySetResult();
        await running.WaitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        api.Dispose();
        await server.DisposeAsync();
        stop.Dispose();
    }

    private protected void Run() => running = elector.RunAsync(async leading =>
    {
        leads.TrySetResult();
        await Task.Delay(Timeout.Infinite, leading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stops.TrySetResult();
    }, stop.Token);

    private protected string Spec() => new JsonObject(server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x")!["spec"]!.AsObject()
        .OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone()))).ToJsonString();

    private protected void SetLease(string? holder, int duration = 15, string renewed = "2026-01-02T11:59:59.000000Z", int transitions = 0)
    {
        var spec = new JsonObject
        {
            ["holderIdentity"] = holder,
            ["leaseDurationSeconds"] = duration,
            ["acquireTime"] = "2026-01-02T11:00:00.000000Z",
            ["renewTime"] = renewed,
            ["leaseTransitions"] = transitions,
        };
        var lease = server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x");
        if (lease is null)
        {
            var metadata = new JsonObject { ["name"] = "x", ["namespace"] = "kube-system" };
            server.Store.Create(new JsonObject { ["apiVersion"] = "coordination.k8s.io/v1", ["kind"] = "Lease", ["metadata"] = metadata, ["spec"] = spec });
            return;
        }

        lease["spec"] = spec;
        server.Store.Update(lease);
    }

    private protected async Task AdvanceAsync(TimeSpan time)
    {
        await SettleAsync();
        clock.Advance(time);
        await SettleAsync();
    }

    // In steps, so that what is due in between happens at its time.
    private protected async Task PassAsync(TimeSpan time, TimeSpan? step = null, bool wait = true)
    {
        for (var end = clock.GetUtcNow() + time; clock.GetUtcNow() < end;)
        {
            var next = step ?? TimeSpan.FromSeconds(0.5);
            if (wait)
                await SettleAsync();
            clock.Advance(next < end - clock.GetUtcNow() ? next : end - clock.GetUtcNow());
        }

        if (wait)
            await SettleAsync();
    }

    // What the elector does next waits for the clock once the server has nothing to do.
    private protected async Task SettleAsync()
    {
        var quiet = 0;
        await Eventually.IsTrueAsync(() => (quiet = server.Requests.InFlight == 0 ? quiet + 1 : 0) == 4);
    }

    private protected Task RequestsAsync(int count) => Eventually.IsTrueAsync(() => server.Requests.All.Count(r => r.Ended is not null) >= count);
}
