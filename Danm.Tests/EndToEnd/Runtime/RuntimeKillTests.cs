using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd.Runtime.Cri;
using Grpc.Core;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>SIGKILL of containerd while it starts sandboxes: after its restart it removes them all, and nothing is left.</summary>
public sealed class RuntimeKillTests : RuntimeFixture
{
    private const string Interfaces = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"},{"network":"br"}]""";
    private const int Pods = 10;

    // DEL looks for a create that was cut off for as long as a server may still be at it.
    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    /// <param name="verb">Of the request at which it happens.</param>
    /// <param name="resource">Of that request.</param>
    /// <param name="count">Which one of them, in order of arrival.</param>
    /// <param name="running">How many sandboxes run by then at least: a Pod has two interfaces, and a DanmEp for each.</param>
    /// <param name="pluginsDie">Whether Danm's processes are killed too, or go on while containerd is back and calls DEL.</param>
    [TestCase("get", "pods", Pods, 0, false)]
    [TestCase("get", "pods", Pods, 0, true)]
    [TestCase("create", "ipallocations", 8, 0, false)]
    [TestCase("create", "ipallocations", 8, 0, true)]
    [TestCase("create", "danmeps", Pods + 2, 1, false)]
    [TestCase("create", "danmeps", Pods + 2, 1, true)]
    [TestCase("create", "danmeps", 2 * Pods, Pods - 1, false)]
    [TestCase("create", "danmeps", 2 * Pods, Pods - 1, true)]
    public async Task Ten_at_once_leave_nothing(string verb, string resource, int count, int running, bool pluginsDie)
    {
        var pods = Enumerable.Range(0, Pods).Select(i => Node.Server.Store.Create(Objects.Pod($"pod-{i}", Interfaces))).ToList();
        var moment = new Moment(Node, verb, resource, count);
        var runs = pods.Select(p => OutcomeAsync(Runtime.RunAsync(p))).ToList();
        await moment.Arrived.WaitAsync(TimeSpan.FromMinutes(1));
        await foreach (var _ in Task.WhenEach(runs).Take(running))
        {
            // One more runs.
        }


        await Runtime.KillAsync(pluginsDie);
        moment.GoOn();

        var ids = (await Task.WhenAll(runs)).OfType<string>().ToList();
        ids.Should().HaveCountGreaterThanOrEqualTo(running).And.HaveCountLessThan(Pods);
        await Runtime.RestartAsync();
        var listed = await Runtime.ListAsync();
        ids.Should().BeSubsetOf(listed.Where(s => s.State == PodSandboxState.SandboxReady).Select(s => s.Id));
        await Runtime.RemoveAllAsync();

        var deferred = await Node.JournalsAsync();
        await ReleaseDeferredAsync();
        await ExpectNothingLeftAsync();
        await TestContext.Out.WriteLineAsync(
            $"{ids.Count} ran when containerd was killed, {listed.Count} were known when it was back, of {deferred.Count} something was deferred");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Each_Pod_gets_its_next_sandbox_from_a_pool_that_has_one_address_a_Pod(bool pluginsDie)
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "tight", $$"""
            {"NetworkID":"tight","NetworkType":"macvlan",
             "Options":{"host_device":"parent0","cidr":"10.2.0.0/24","allocation_pool":{"start":"10.2.0.1","end":"10.2.0.{{Pods}}"} } }
            """));
        var pods = Enumerable.Range(0, Pods)
            .Select(i => Node.Server.Store.Create(Objects.Pod($"pod-{i}", """[{"network":"tight","ip":"dynamic"},{"network":"br"}]"""))).ToList();
        await RunUntilKilledAsync(pods, new Moment(Node, "create", "danmeps", 2 * Pods), Pods - 1, pluginsDie);
        await Runtime.RestartAsync();
        var former = await Runtime.ListAsync();
        await Task.WhenAll(former.Select(s => Runtime.StopAsync(s.Id)));

        var ids = await Task.WhenAll(pods.Select(p => Runtime.RunAsync(p, attempt: 1)));

        await Task.WhenAll(former.Select(s => Runtime.RemoveAsync(s.Id)));
        var addresses = await Task.WhenAll(ids.Select(async i => (await Runtime.StatusAsync(i)).Network.Ip));
        addresses.Should().BeEquivalentTo(Enumerable.Range(1, Pods).Select(i => $"10.2.0.{i}"));
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["CID"]!).Distinct().Should().BeEquivalentTo(ids);
        await Runtime.RemoveAllAsync();
        await ReleaseDeferredAsync();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task Sandboxes_live_on_and_are_removed_by_the_next_containerd()
    {
        var id = await Runtime.RunAsync(Node.Server.Store.Create(Objects.Pod("a", Interfaces)));
        var before = await Runtime.StatusAsync(id);

        await Runtime.KillAsync(withPlugins: false);
        await Runtime.RestartAsync();

        (await Runtime.StatusAsync(id)).Should().Be(before);
        (await Runtime.InSandboxAsync(id, "ip -br address show dev eth0")).Should().Contain(before.Network.Ip);
        await Runtime.RemoveAllAsync();
        await ExpectNothingLeftAsync();
    }

    /// <summary>Starts a sandbox for each Pod, and kills containerd when the moment is there; gives those that ran by then.</summary>
    private async Task<IReadOnlyList<string>> RunUntilKilledAsync(IReadOnlyList<JsonObject> pods, Moment moment, int running, bool pluginsDie)
    {
        var runs = pods.Select(p => OutcomeAsync(Runtime.RunAsync(p))).ToList();
        await moment.Arrived.WaitAsync(TimeSpan.FromMinutes(1));
        await foreach (var _ in Task.WhenEach(runs).Take(running))
        {
            // One more runs.
        }

        await Runtime.KillAsync(pluginsDie);
        moment.GoOn();
        return [.. (await Task.WhenAll(runs)).OfType<string>()];
    }

    /// <summary>The id, or null of a call that was cut off.</summary>
    private static async Task<string?> OutcomeAsync(Task<string> run)
    {
        try
        {
            return await run;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
        {
            return null;
        }
    }

    /// <summary>What the server may have carried out late is released by the next call on the node, here another Pod's.</summary>
    private async Task ReleaseDeferredAsync()
    {
        await Node.PassTimeAsync(MayStillCome);
        await Runtime.RunAsync(Node.Server.Store.Create(Objects.Pod("next", """[{"network":"mv","ip":"dynamic"}]""")));
        await Runtime.RemoveAllAsync();
    }

    /// <summary>When a number of requests of a kind has come: that one and all later ones wait until told to go on.</summary>
    private sealed class Moment
    {
        private readonly TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int come;

        public Moment(HostNode node, string verb, string resource, int count) =>
            node.Server.Faults.Add(new Fault(Fault.On(verb, resource)) { Hold = () => Interlocked.Increment(ref come) < count ? Task.CompletedTask : Wait() });

        public Task Arrived => arrived.Task;

        public void GoOn() => goOn.SetResult();

        private Task Wait()
        {
            arrived.TrySetResult();
            return goOn.Task;
        }
    }
}
