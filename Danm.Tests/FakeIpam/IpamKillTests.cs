using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary>ADDs that SIGKILL ends at any moment, each followed by DEL at once.</summary>
public sealed class IpamKillTests : NetworkIpamFixture
{
    private const int Kills = 60;

    private static readonly string[][] Programs = [FakeIpam, Macvlan];

    [SetUp]
    public void MakeNetwork() => Network(""" "cidr":"10.9.0.0/24","net6":"fd09::/64" """);

    /// <summary>A runtime knows nothing of the process that macvlan called: it goes on, as an orphan, while DEL is at work.</summary>
    [Test]
    public async Task ADDs_killed_at_random_moments_leave_nothing([ValueSource(nameof(Programs))] string[] program)
    {
        var duration = await MeasureAsync(program);
        var seed = Environment.TickCount;
        var moments = new Moments(duration, new Random(seed));
        int killed = 0, deferred = 0;
        for (var i = 0; killed < Kills; i++)
        {
            i.Should().BeLessThan(10 * Kills, "many are killed before they end (seed {0})", seed);
            var container = await ContainerAsync($"killed-{i}");
            killed += await KillAsync("ADD", program, container, moments) ? 1 : 0;

            (await Node.CallAsync(Call("DEL", container), program)).Succeeded();

            var journals = await JournalsAsync();
            deferred += journals.Count;
            Allocations().Should().BeSubsetOf(ClaimsOf(journals), "what comes late is written down (seed {0}, ADD no. {1})", seed, i);
            if (journals.Count > 0)
            {
                await PassTimeAsync(MayStillCome);
                await NextCallAsync();
            }

            await ExpectNothingLeftAsync();
            await container.DeleteNamespaceAsync();
        }

        await TestContext.Progress.WriteLineAsync(
            $"seed {seed}: {killed} ADDs of {Path.GetFileName(program[0])}, {duration.TotalMilliseconds:0} ms each, killed; {deferred} deferred records");
    }

    [Test]
    public async Task DELs_killed_at_random_moments_are_completed_by_the_DEL_that_follows([ValueSource(nameof(Programs))] string[] program)
    {
        var duration = await MeasureAsync(program);
        var seed = Environment.TickCount;
        var moments = new Moments(duration, new Random(seed));
        var killed = 0;
        for (var i = 0; killed < Kills / 2; i++)
        {
            i.Should().BeLessThan(10 * Kills, "many are killed before they end (seed {0})", seed);
            var container = await ContainerAsync($"killed-{i}");
            (await Node.CallAsync(Call("ADD", container), program)).Succeeded();
            killed += await KillAsync("DEL", program, container, moments) ? 1 : 0;

            (await Node.CallAsync(Call("DEL", container), program)).Succeeded();

            await ExpectNothingLeftAsync();
            await container.DeleteNamespaceAsync();
        }

        await TestContext.Progress.WriteLineAsync($"seed {seed}: {killed} DELs of {Path.GetFileName(program[0])} killed");
    }

    [Test]
    public async Task What_commits_after_DEL_had_looked_is_released_by_the_next_call()
    {
        var arrived = new TaskCompletionSource();
        var commit = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, Hold = () => { arrived.SetResult(); return commit.Task; } });
        var container = await ContainerAsync();
        Process? process = null;
        var add = Node.CallAsync(Call("ADD", container), FakeIpam, started: p => process = p);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        process!.Kill();
        (await add).ExitCode.Should().Be(137);

        (await FakeIpamAsync(Call("DEL", container))).Succeeded();

        var before = Allocations();
        var journal = (await JournalsAsync()).Should().ContainSingle().Which;
        ((string?)journal["ContainerId"]).Should().Be(container.ContainerId);
        commit.SetResult();
        var watch = Stopwatch.StartNew();
        while (Allocations().Count == before.Count)
        {
            watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(20), "the held create must commit");
            await Task.Delay(20);
        }

        ClaimsOf([journal]).Should().Contain(Allocations());
        await NextCallAsync();
        Allocations().Should().BeEmpty();
        await PassTimeAsync(MayStillCome);
        await NextCallAsync();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task An_ADD_whose_caller_is_gone_makes_nothing()
    {
        var arrived = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("get", "clusternetworks")) { Count = 1, Hold = () => { arrived.SetResult(); return answer.Task; } });
        var container = await ContainerAsync();
        Process? process = null;
        var add = Node.CallAsync(Call("ADD", container), Macvlan, started: p => process = p);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        process!.Kill();
        await add;

        (await Node.CallAsync(Call("DEL", container), Macvlan)).Succeeded();
        (await Node.ShellAsync("pgrep -x fakeipam")).Should().NotBeEmpty("it still waits for its network");
        Node.Server.Requests.Clear();
        answer.SetResult();

        await Node.ShellAsync("for i in $(seq 100); do pgrep -x fakeipam >/dev/null || exit 0; sleep 0.1; done; exit 1");
        Node.Server.Requests.Where("create").Should().BeEmpty("nobody would use the address");
        await ExpectNothingLeftAsync();
    }

    private async Task<TimeSpan> MeasureAsync(string[] program)
    {
        var elapsed = TimeSpan.Zero;
        foreach (var name in (string[])["warm-up", "measured"])
        {
            var container = await ContainerAsync(name);
            var watch = Stopwatch.StartNew();
            (await Node.CallAsync(Call("ADD", container), program)).Succeeded();
            elapsed = watch.Elapsed;
            (await Node.CallAsync(Call("DEL", container), program)).Succeeded();
        }

        return elapsed;
    }

    /// <summary>Whether the call was killed before it ended.</summary>
    private async Task<bool> KillAsync(string command, string[] program, Sandbox container, Moments moments)
    {
        Process? process = null;
        var call = Node.CallAsync(Call(command, container), program, started: p => process = p);
        await Task.Delay(moments.Next());
        try
        {
            process!.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended, and was let go of.
        }

        var exit = (await call).ExitCode;
        exit.Should().BeOneOf(0, 128 + 9);
        moments.Note(exit != 0);
        return exit != 0;
    }

    /// <summary>
    /// When to kill: any moment of a call. On a busy machine what was measured at first is soon not true any more, so the time that they are
    /// spread over follows what comes of it.
    /// </summary>
    private sealed class Moments(TimeSpan window, Random random)
    {
        public TimeSpan Next() => window * random.NextDouble();

        public void Note(bool wasKilled) => window *= wasKilled ? 1.1 : 0.8;
    }
}
