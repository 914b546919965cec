using System.Collections.Concurrent;
using CsCheck;
using Danm.Tests.Svcwatcher.Model;

namespace Danm.Tests.Svcwatcher;

/// <summary>Random histories of Services, Pods and interfaces, with faults, meddlers and restarts: what svcwatcher publishes, against a specification.</summary>
public sealed class ServiceModelTests
{
    private const int Histories = 350, Clusters = 12;

    private static readonly Gen<ClusterStep> Step =
        from what in Gen.Frequency(
            (8, Gen.Const(ClusterHappening.Service)), (2, Gen.Const(ClusterHappening.ServiceGoes)), (2, Gen.Const(ClusterHappening.ServiceAnew)),
            (6, Gen.Const(ClusterHappening.Pod)), (6, Gen.Const(ClusterHappening.PodStatus)), (1, Gen.Const(ClusterHappening.PodTerminates)), (1, Gen.Const(ClusterHappening.PodGoes)),
            (3, Gen.Const(ClusterHappening.PodAnew)), (10, Gen.Const(ClusterHappening.Interface)), (4, Gen.Const(ClusterHappening.InterfaceChanges)), (2, Gen.Const(ClusterHappening.InterfaceGoes)),
            (1, Gen.Const(ClusterHappening.Node)), (10, Gen.Const(ClusterHappening.Pause)),
            (4, Gen.Int[(int)ClusterHappening.SliceEdited, (int)ClusterHappening.EndpointsDeleted].Select(h => (ClusterHappening)h)),
            (3, Gen.Int[(int)ClusterHappening.Refused, (int)ClusterHappening.ServerError].Select(h => (ClusterHappening)h)),
            (1, Gen.Frequency(
                (2, Gen.Const(ClusterHappening.WatchesEnd)), (1, Gen.Const(ClusterHappening.HistoryForgotten)), (2, Gen.Const(ClusterHappening.Restart)), (2, Gen.Const(ClusterHappening.TakeOver)),
                (3, Gen.Const(ClusterHappening.Crowd)), (1, Gen.Const(ClusterHappening.CrowdGoes)))))
        from which in Gen.Int[0, int.MaxValue]
        select new ClusterStep(what, which);

    private readonly ConcurrentBag<ModelCluster> free = [];

    [OneTimeSetUp]
    public async Task Start()
    {
        for (var i = 0; i < Clusters; i++)
            free.Add(await ModelCluster.StartAsync(collectsGarbage: i % 2 == 0));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        foreach (var cluster in free)
            await cluster.DisposeAsync();
    }

    [Test]
    public async Task Slices_become_what_the_objects_say_and_never_show_what_was_not_true()
    {
        var steps = 0;
        await Step.Array[5, 60].SampleAsync(
            async history =>
            {
                if (!free.TryTake(out var cluster))
                    cluster = await ModelCluster.StartAsync(collectsGarbage: true);
                var run = new ClusterHistory(cluster);
                try
                {
                    await run.RunAsync(history);
                    await run.SettleAsync();
                    await run.LeaveAsync();
                    Interlocked.Add(ref steps, history.Length);
                    free.Add(cluster);
                }
                catch
                {
                    // What it does not do now would be missing in the next history too.
                    await cluster.DisposeAsync();
                    throw;
                }
            },
            iter: Histories,
            threads: Clusters,
            print: history => string.Join(" ", history));

        ClusterHistory.Seen.Keys.Should().Contain(Enum.GetNames<ClusterHappening>()).And.Contain(["an endpoint", "a Service of several slices"]);
        await TestContext.Progress.WriteLineAsync(
            $"{Histories} histories of {steps} steps, {free.Sum(c => c.Witness.Judged)} slices judged: {string.Join(", ", ClusterHistory.Seen.OrderByDescending(s => s.Value).Select(s => $"{s.Key} {s.Value}"))}");
    }
}
