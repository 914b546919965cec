using System.Diagnostics;

namespace Danm.Tests.EndToEnd;

/// <summary>ADDs with real delegates that SIGKILL ends at any moment, also while the delegates are at work; each is followed by DEL at once.</summary>
[TestFixture, Parallelizable]
public sealed class DelegateKillTests : ScriptedDelegateFixture
{
    private const int Kills = 60;

    private const string Interfaces = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"},{"network":"br"}]""";

    private const string Bridge = """
        {"cniVersion":"1.0.0","name":"br-net","type":"bridge","bridge":"br0","ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}}
        """;

    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    [Test]
    public async Task ADDs_killed_at_random_moments_leave_nothing()
    {
        MacvlanNetwork();
        await FileAsync("br.conf", Bridge);
        Node.Server.Store.Create(Objects.Network("DanmNet", "br", """{"NetworkID":"br","NetworkType":"bridge"}"""));
        var duration = await MeasureAsync();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        int killed = 0, deferred = 0;
        for (var i = 0; killed < Kills; i++)
        {
            i.Should().BeLessThan(3 * Kills, "most are killed before they end (seed {0})", seed);
            var pod = await Node.StartPodAsync(Objects.Pod($"killed-{i}", Interfaces));
            killed += await KillAsync(pod, duration * random.NextDouble()) ? 1 : 0;

            (await DelAsync(pod)).Succeeded();

            (await pod.RunAsync("ip -o link")).Should().NotContainAny(" eth0", " eth1");
            (await LeasesAsync()).Should().BeEmpty("seed {0}, ADD no. {1}", seed, i);
            var journals = await Node.JournalsAsync();
            deferred += journals.Count;
            Node.Objects().Select(o => (string)o["metadata"]!["name"]!).Should().BeSubsetOf(
                journals.SelectMany(j => j["Claims"]!.AsArray()).Select(c => (string)c!["Name"]!), "what comes late is written down (seed {0})", seed);
            if (journals.Count > 0)
            {
                await Node.PassTimeAsync(MayStillCome);
                await NextCallAsync();
            }

            Node.Objects().Should().BeEmpty("seed {0}, ADD no. {1}", seed, i);
            (await Node.StateAsync()).Should().BeEmpty("seed {0}, ADD no. {1}", seed, i);
            // A plugin that was killed in the midst may leave an interface under a name that only it knew; it goes with the namespace.
            await pod.DeleteNamespaceAsync();
        }

        var orphans = (await LogAsync()).Split("ended plugins that an ADD had called").Length - 1;
        await ExpectNoHostInterfaceAsync();
        await TestContext.Progress.WriteLineAsync(
            $"seed {seed}: {killed} ADDs of {duration.TotalMilliseconds:0} ms killed, {orphans} of them with delegates at work; {deferred} deferred records");
    }

    private async Task<TimeSpan> MeasureAsync()
    {
        var elapsed = TimeSpan.Zero;
        foreach (var name in (string[])["warm-up", "measured"])
        {
            var pod = await Node.StartPodAsync(Objects.Pod(name, Interfaces));
            var watch = Stopwatch.StartNew();
            (await AddAsync(pod)).Succeeded();
            elapsed = watch.Elapsed;
            (await DelAsync(pod)).Succeeded();
            await pod.DeleteNamespaceAsync();
        }

        return elapsed;
    }

    /// <summary>Whether the ADD was killed before it ended.</summary>
    private async Task<bool> KillAsync(Sandbox pod, TimeSpan after)
    {
        Process? process = null;
        var add = Node.CallAsync(Call(pod, "ADD"), p => process = p);
        await Task.Delay(after);
        try
        {
            process!.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended, and was let go of.
        }

        var exit = (await add).ExitCode;
        exit.Should().BeOneOf(0, 128 + 9);
        return exit != 0;
    }

    private Task<string> LeasesAsync() => Node.ShellAsync("ls /run/leases/br-net 2>/dev/null | grep '^10' || true");

    /// <summary>The kernel takes the other ends of the namespaces' interfaces down a moment after them.</summary>
    private async Task ExpectNoHostInterfaceAsync()
    {
        string left;
        var watch = Stopwatch.StartNew();
        while ((left = await Node.ShellAsync("ip -o link | grep -v -e ' lo:' -e ' parent0:' -e ' br0:' || true")).Length > 0 && watch.Elapsed < TimeSpan.FromSeconds(10))
            await Task.Delay(100);
        left.Should().BeEmpty();
    }
}
