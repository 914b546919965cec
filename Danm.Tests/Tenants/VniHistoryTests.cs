using CsCheck;
using Danm.Kube;
using Danm.Kube.Events;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Tenants;

/// <summary>Random concurrent histories of TenantNetworks, webhooks and controllers against a model.</summary>
[Parallelizable]
public sealed class VniHistoryTests
{
    private const int Histories = 1200, Webhooks = 2;

    private static readonly Gen<VniHistoryStep> Step =
        from what in Gen.Frequency(
            (5, Gen.Const(VniHappening.Create)), (1, Gen.Const(VniHappening.CreateGenerated)), (3, Gen.Const(VniHappening.Denied)), (4, Gen.Const(VniHappening.Admitted)),
            (4, Gen.Const(VniHappening.StoreLate)), (5, Gen.Const(VniHappening.Delete)), (8, Gen.Const(VniHappening.Pass)),
            (1, Gen.Const(VniHappening.CreateOdd)), (4, Gen.Const(VniHappening.PodReads)), (4, Gen.Const(VniHappening.PodStands)), (1, Gen.Const(VniHappening.PodStandsOddly)), (3, Gen.Const(VniHappening.PodEnds)), (1, Gen.Const(VniHappening.Restart)),
            (1, Gen.Const(VniHappening.Moment)), (1, Gen.Const(VniHappening.HalfGrace)), (5, Gen.Const(VniHappening.Grace)),
            (1, Gen.Frequency((1, Gen.Const(VniHappening.Mistake)), (1, Gen.Const(VniHappening.Bypass)), (2, Gen.Const(VniHappening.Delete)))),
            (2, Gen.Int[(int)VniHappening.LoseAnswer, (int)VniHappening.NoList].Select(h => (VniHappening)h)))
        from which in Gen.Int[0, 47]
        select new VniHistoryStep(what, which);

    private EmbeddedApiServer server = null!;
    private ApiClient api = null!;
    private EventRecorder events = null!;
    private VniReserver[] webhooks = null!;
    private readonly CancellationTokenSource stop = new();
    private Task watching = Task.CompletedTask;

    [OneTimeSetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        api = TestClient.Connect(server.Kubeconfig());
        events = new EventRecorder(api, "danm-controller", null);
        var views = Enumerable.Range(0, Webhooks).Select(_ => new NetworkView(api, _ => { })).ToList();
        webhooks = [.. views.Select(v => new VniReserver(api, v))];
        watching = Task.WhenAll(views.Select(v => v.RunAsync(stop.Token)));
        await Tests.Kube.Eventually.IsTrueAsync(() => views.TrueForAll(v => !v.Unknown.Any()));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await stop.CancelAsync();
        await watching;
        await events.DisposeAsync();
        api.Dispose();
        await server.DisposeAsync();
        stop.Dispose();
    }

    [Test]
    public async Task No_id_is_given_twice_none_leaks_and_none_that_a_network_has_is_freed()
    {
        await Gen.Select(Gen.Bool, Step.Array[1, 10].Array[1, 3]).SampleAsync(async (isRipe, lanes) =>
        {
            using var history = new VniHistory(server, api, events, webhooks, new VniRepairOptions { DeletesPerSecond = 1_000_000 });
            if (isRipe)
                await history.RipenAsync();
            await history.RunAsync(lanes);
            await history.SettleAsync();
            if (!history.Faults.IsEmpty)
                throw new AssertionException(string.Join('\n', history.Faults));
        }, iter: Histories, threads: 1, print: h => $"ripe: {h.Item1}\n{string.Join("\n", h.Item2.Select(l => string.Join(' ', l)))}");

        // A test that never meets what it is about proves nothing.
        VniHistory.Seen.Keys.Should().Contain(Enum.GetNames<VniHappening>()).And.Contain(
            ["freed", "restored", "corrected", "could not be done", "a network was stored late", "a conflict was said", "a pass failed", "a Pod held an id", "an id was kept for one that nobody can read"]);
        await TestContext.Progress.WriteLineAsync($"{Histories} histories: {string.Join(", ", VniHistory.Seen.OrderByDescending(s => s.Value).Select(s => $"{s.Key} {s.Value}"))}");
    }
}
