using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Svcwatcher;

/// <summary>A Service whose Pods are all replaced, while who publishes them is killed.</summary>
[TestFixture]
public sealed class RollOutTests : SvcwatcherFixture
{
    private const int Pods = 200;
    private const int KilledAt = 80;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    // A candidate may see the last renewal two retry periods late, and looks when the lease ends from there.
    private static readonly TimeSpan TakeOver = Lease + (2 * Retry);

    // One look a second, a write, and a busy machine.
    private static readonly TimeSpan Sync = TimeSpan.FromSeconds(4);

    private readonly ConcurrentDictionary<string, long> deleted = [];

    [Test]
    public async Task Nothing_is_lost_when_the_leader_is_killed_midway()
    {
        Service("db", """{"clusterIP":"None","ports":[{"name":"sql","port":5432}]}""", ("danm.io/selector", """{"app":"db"}"""), ("danm.io/clusterNetwork", "internal"));
        for (var i = 0; i < Pods; i++)
            Bring("old", i, ready: true);
        string[] times = [$"--leader-elect-lease-duration={Lease.TotalSeconds}s", "--leader-elect-renew-deadline=4s", $"--leader-elect-retry-period={Retry.TotalSeconds}s"];
        await using var first = Start(times);
        await Netwatcher.Eventually.HoldsAsync(() => Endpoints("db").Should().HaveCount(Pods), seconds: 30);
        var leader = Leader();
        await using var second = Start(times);
        await Netwatcher.Eventually.HoldsAsync(() => second.Log.Should().Contain($"{leader} has the lease"), seconds: 20);

        using var over = new CancellationTokenSource();
        var looking = WatchForTheDeletedAsync(over.Token);
        var clock = Stopwatch.StartNew();
        var killed = 0L;
        Task<TimeSpan>? takeOver = null;
        for (var i = 0; i < Pods; i++)
        {
            // One in forty never becomes ready, and is listed as such.
            Bring("new", i, ready: false);
            if (i % 40 != 0)
                Ready($"new-{i}", true);
            Take("old", i);
            if (i == KilledAt)
            {
                Endpoints("db").Should().Contain(e => e.Contains("new-"), "the roll-out is under way");
                killed = Stopwatch.GetTimestamp();
                await first.KillAsync();
                takeOver = UntilAnotherLeadsAsync(leader, killed);
            }

            await Task.Delay(60);
        }

        var replaced = clock.Elapsed;
        var tookOver = await takeOver!;
        await BecomesAsync("db", [.. Enumerable.Range(0, Pods).Select(i => $"{Address("new", i)} new-{i}{(i % 40 == 0 ? "!" : "")}").Order(StringComparer.Ordinal)]);
        await Task.Delay(Sync);
        await over.CancelAsync();
        var seen = await looking;

        Endpoints("db").Should().HaveCount(Pods);
        Server.Store.List("danm.io/v1", "DanmEp").Should().HaveCount(Pods);
        tookOver.Should().BeLessThan(TakeOver + TimeSpan.FromSeconds(1));
        second.HasExited.Should().BeFalse(second.Log);
        var inTakeOver = seen.Where(s => s.At > killed && s.DeletedAt < killed + (long)(tookOver.TotalSeconds * Stopwatch.Frequency)).ToList();
        var normally = seen.Except(inTakeOver).ToList();
        inTakeOver.Should().NotBeEmpty("nobody published while nobody led").And.OnlyContain(s => s.Age < tookOver + Sync);
        normally.Should().OnlyContain(s => s.Age < Sync);
        TestContext.Out.WriteLine($"{Pods} Pods replaced in {replaced.TotalSeconds:0.0} s; from the kill to the Lease's new holder {tookOver.TotalSeconds:0.00} s (lease {Lease.TotalSeconds} s, retry {Retry.TotalSeconds} s); "
            + $"a deleted address was listed for {Longest(normally):0.00} s at most, around the take-over for {Longest(inTakeOver):0.00} s");
    }

    private static double Longest(IEnumerable<Sighting> sightings) => sightings.Select(s => s.Age.TotalSeconds).DefaultIfEmpty().Max();

    private static string Address(string generation, int index) => $"10.{(generation == "old" ? 1 : 2)}.0.{index + 1}";

    private void Bring(string generation, int index, bool ready)
    {
        Pod($"{generation}-{index}", ready);
        Interface($"{generation}-{index}", $"{generation}-{index}", "internal", $"{Address(generation, index)}/16");
    }

    /// <summary>As a Pod ends: its interface first.</summary>
    private void Take(string generation, int index)
    {
        Server.Store.Delete("danm.io/v1", "DanmEp", "default", $"{generation}-{index}");
        Server.Store.Delete("v1", "Pod", "default", $"{generation}-{index}");
        deleted[Address(generation, index)] = Stopwatch.GetTimestamp();
    }

    private string? Leader() => Server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "danm-svcwatcher").At("spec", "holderIdentity").String();

    private async Task<TimeSpan> UntilAnotherLeadsAsync(string? leader, long since)
    {
        await Netwatcher.Eventually.HoldsAsync(() => Leader().Should().NotBeNullOrEmpty().And.NotBe(leader), seconds: 60);
        return Stopwatch.GetElapsedTime(since);
    }

    /// <summary>Looks at the slices twenty times a second for addresses of Pods that are gone.</summary>
    private async Task<List<Sighting>> WatchForTheDeletedAsync(CancellationToken over)
    {
        var sightings = new List<Sighting>();
        while (!over.IsCancellationRequested)
        {
            var now = Stopwatch.GetTimestamp();
            foreach (var endpoint in Slices("db").SelectMany(s => s.At("endpoints") as JsonArray ?? []))
            {
                if (deleted.TryGetValue((string)endpoint.At("addresses")![0]!, out var since) && since < now)
                    sightings.Add(new Sighting(since, now));
            }

            await Task.Delay(50, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return sightings;
    }

    /// <summary>An address of a deleted Pod that a slice still has, both times of <see cref="Stopwatch"/>.</summary>
    private readonly record struct Sighting(long DeletedAt, long At)
    {
        public TimeSpan Age => Stopwatch.GetElapsedTime(DeletedAt, At);
    }
}
