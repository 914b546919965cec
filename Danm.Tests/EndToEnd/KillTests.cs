using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>ADDs that SIGKILL ends, each followed by DEL.</summary>
[TestFixture, Parallelizable]
public sealed class KillTests : GuestFixture
{
    private const string Interfaces = """
        [{"network":"one","ip":"dynamic","ip6":"dynamic"},{"clusterNetwork":"two","ip":"dynamic","ip6":"dynamic","proutes":{"10.60.0.0/16":"10.12.0.254"}}]
        """;

    // DEL looks for a create that was cut off for as long as a server may still be at it.
    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    [OneTimeSetUp]
    public void MakeNetworks()
    {
        Network("DanmNet", "one", """{"cidr":"10.11.0.0/24","net6":"fd00:11::/64"}""");
        Network("ClusterNetwork", "two", """{"vlan":12,"cidr":"10.12.0.0/24","net6":"fd00:12::/64","rt_tables":12}""");
    }

    [Test]
    public async Task A_hundred_ADDs_killed_at_random_moments_leave_nothing()
    {
        const int Kills = 100, AtOnce = 10;
        var duration = await MeasureAsync();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        int killed = 0, late = 0, deferred = 0;
        for (var batch = 0; killed < Kills; batch++)
        {
            batch.Should().BeLessThan(2 * Kills / AtOnce, "most processes are killed before they end");
            var pods = await Node.StartPodsAsync(Enumerable.Range(0, AtOnce).Select(i => Objects.Pod($"killed-{batch}-{i}", Interfaces)));
            var script = new StringBuilder($"cat >/run/config <<'CONFIG'\n{Node.Config().ToJsonString()}\nCONFIG\n");
            foreach (var pod in pods)
            {
                script.Append(CultureInfo.InvariantCulture, $"""
                    (exec {pod.Call("ADD").ToCommand(DanmBinary.Path)} </run/config >/run/out 2>&1) & pid=$!
                    sleep {random.NextDouble() * duration.TotalSeconds:0.000}
                    kill -KILL $pid 2>/run/ignored; wait $pid; echo $?
                    {pod.Call("DEL").ToCommand(DanmBinary.Path)} </run/config || exit 1

                    """);
            }

            var codes = (await Node.Guest.ExpectAsync(script.ToString(), TimeSpan.FromMinutes(2))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            codes.Should().OnlyContain(c => c == "137" || c == "0", "seed {0}", seed);
            killed += codes.Count(c => c == "137");

            var journals = await Node.DeferredAsync();
            deferred += journals.Count;
            var left = (string[])[.. Node.Objects("IPAllocation").Concat(Node.Objects("DanmEp")).Select(o => (string)o["metadata"]!["name"]!)];
            late += left.Length;
            left.Should().BeSubsetOf(ClaimsOf(journals), "what a create brought after DEL had looked is written down (seed {0})", seed);
            (await Node.JournalsAsync()).Should().HaveCount(journals.Count);
            await NextCallAsync();
            Node.Objects("IPAllocation").Concat(Node.Objects("DanmEp")).Should().BeEmpty("the next call releases them (seed {0})", seed);

            await Node.PassTimeAsync(MayStillCome);
            await NextCallAsync();
            await Node.ExpectNothingLeftAsync();
        }

        await TestContext.Progress.WriteLineAsync(
            $"seed {seed}: {killed} ADDs of {duration.TotalMilliseconds:0} ms killed; {deferred} deferred records, {late} objects came after DEL had looked");
    }

    [TestCase("ipallocations")]
    [TestCase("danmeps")]
    public async Task What_commits_after_DEL_had_looked_is_in_the_journal_and_released_by_the_next_call(string resource)
    {
        var arrived = new TaskCompletionSource();
        var commit = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("create", resource)) { Count = 1, Hold = () => { arrived.SetResult(); return commit.Task; } });
        var pod = await PodAsync($"late-{resource}", Interfaces);
        var add = Node.Guest.RunAsync($"cat >/run/config <<'CONFIG'\n{Node.Config().ToJsonString()}\nCONFIG\n"
            + $"(exec {pod.Call("ADD").ToCommand(DanmBinary.Path)} </run/config) & echo $! >/run/pid; wait $!");
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await HostAsync("kill -KILL $(cat /run/pid)");
        (await add).ExitCode.Should().Be(137);

        (await pod.DelAsync()).Succeeded();

        Node.Objects("IPAllocation").Concat(Node.Objects("DanmEp")).Should().BeEmpty();
        var journal = (await Node.DeferredAsync()).Should().ContainSingle().Which;
        ((string?)journal["ContainerId"]).Should().Be(pod.ContainerId);
        commit.SetResult();
        var late = await UntilCommittedAsync(resource == "danmeps" ? "DanmEp" : "IPAllocation");
        ClaimsOf([journal]).Should().Contain(late);

        await NextCallAsync();
        Node.Objects("IPAllocation").Concat(Node.Objects("DanmEp")).Should().BeEmpty();

        await Node.PassTimeAsync(MayStillCome);
        await NextCallAsync();
    }

    private static IEnumerable<string> ClaimsOf(IEnumerable<JsonObject> journals) =>
        journals.SelectMany(j => j["Claims"]?.AsArray() ?? []).Select(c => (string)c!["Name"]!);

    private async Task<TimeSpan> MeasureAsync()
    {
        var pods = await Node.StartPodsAsync(Objects.Pod("warm-up", Interfaces), Objects.Pod("measured", Interfaces));
        (await pods[0].AddAsync()).Succeeded();
        var micros = await HostAsync($$"""
            start=${EPOCHREALTIME/.}
            { {{pods[1].Call("ADD").ToShell(DanmBinary.Path)}} } >/run/out || exit 1
            echo $((${EPOCHREALTIME/.} - start))
            """);
        foreach (var pod in pods)
            (await pod.DelAsync()).Succeeded();
        return TimeSpan.FromMicroseconds(long.Parse(micros));
    }

    private async Task<string> UntilCommittedAsync(string kind)
    {
        var started = Stopwatch.StartNew();
        while (Node.Objects(kind).Count == 0)
        {
            started.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(20), "the held create must commit");
            await Task.Delay(20);
        }

        return (string)Node.Objects(kind)[0]["metadata"]!["name"]!;
    }
}
