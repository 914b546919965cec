using System.Diagnostics;
using System.Globalization;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>
/// Networks, Pods, links and the API server come and go for a while, and nothing is left over in the process. A minute here; the target
/// Soak makes it ten (DANM_SOAK_SECONDS).
/// </summary>
[TestFixture, Parallelizable]
public sealed class SoakTests : NetwatcherFixture
{
    private const int Networks = 12;

    [Test]
    public async Task Memory_threads_and_descriptors_are_flat_under_churn()
    {
        var duration = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("DANM_SOAK_SECONDS") ?? "60", CultureInfo.InvariantCulture));
        await Node.ShellAsync("ip address replace 192.0.2.1/24 dev parent0");
        Node.Server.Store.Create(Objects.Network("DanmNet", "pods", """{"NetworkID":"pods","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""));
        var config = Node.WriteFile("00-danm.conf", Node.Config().ToJsonString());
        await using var watcher = Start("--cni-conf", config, "--vxlan-flooding", "unicast", "--metrics-bind-address", "127.0.0.1:18080", "--health-probe-bind-address", "127.0.0.1:18081");
        await QuietAsync();
        var random = new Random(6);
        var watch = Stopwatch.StartNew();

        // What grows once, such as pools and caches, has grown by then.
        var settling = TimeSpan.FromSeconds(Math.Min(120, duration.TotalSeconds / 3));
        while (watch.Elapsed < settling)
            await ChurnAsync(random);
        await QuietAsync();
        var before = Read(watcher.Id);
        var limit = before.Kilobytes + Math.Max(6 * 1024, before.Kilobytes / 5);
        var after = await ChurnUntilAsync(watch, duration, random, watcher.Id);
        // One reading is as high as the last collection was long ago. What leaks is higher at the next one.
        for (var again = 0; again < 2 && after.Kilobytes >= limit; again++)
            after = await ChurnUntilAsync(watch, watch.Elapsed + TimeSpan.FromSeconds(20), random, watcher.Id);

        await TestContext.Progress.WriteLineAsync($"soak of {watch.Elapsed.TotalSeconds:0} s: {before} then {after}");
        after.Kilobytes.Should().BeLessThan(limit);
        after.OwnThreads.Should().BeLessThanOrEqualTo(before.OwnThreads + 1);
        after.PoolThreads.Should().BeLessThanOrEqualTo(before.PoolThreads + 8, "a call that never returns keeps its thread");
        after.Descriptors.Should().BeLessThanOrEqualTo(before.Descriptors + 2);
        after.Namespaces.Should().Be(1, "no thread is left in a Pod's namespace");
        after.Kilobytes.Should().BeLessThan(80 * 1024);
        watcher.Log.Should().NotContain("Exception");
    }

    private async Task<Cost> ChurnUntilAsync(Stopwatch watch, TimeSpan end, Random random, int pid)
    {
        while (watch.Elapsed < end)
            await ChurnAsync(random);
        await QuietAsync();
        return Read(pid);
    }

    private async Task ChurnAsync(Random random)
    {
        var name = $"n{random.Next(Networks)}";
        var store = Node.Server.Store;
        switch (random.Next(8))
        {
            case 0 or 1 or 2:
                if (store.Get("danm.io/v1", "ClusterNetwork", null, name) is null)
                    store.Create(Objects.Network("ClusterNetwork", name, $$$"""{"NetworkID":"{{{name}}}","Options":{"host_device":"parent0","vxlan":{{{700 + int.Parse(name[1..], CultureInfo.InvariantCulture)}}}}}"""));
                else
                    store.Delete("danm.io/v1", "ClusterNetwork", null, name);
                break;
            case 3:
                await Node.ShellAsync($"ip link delete vx_{name} 2>/dev/null || true");
                break;
            case 4:
                var pod = await Node.StartPodAsync(Objects.Pod($"p{random.Next(1_000_000)}", """[{"network":"pods","ip":"dynamic"}]"""));
                (await Node.CallAsync(pod.Call("ADD"))).Succeeded();
                (await Node.CallAsync(pod.Call("DEL"))).Succeeded();
                store.Delete("v1", "Pod", "default", pod.Name);
                await pod.DeleteNamespaceAsync();
                break;
            case 5:
                Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });
                await Task.Delay(200);
                Node.Server.Faults.Clear();
                break;
            case 6:
                await Node.ShellAsync("for i in 1 2 3; do curl -sS 127.0.0.1:18080/metrics > /dev/null; curl -sS 127.0.0.1:18081/readyz > /dev/null; done");
                break;
            case 7:
                store.Compact();
                break;
        }

        await Task.Delay(random.Next(100));
    }

    private async Task QuietAsync()
    {
        await Node.EventuallyAsync("curl -sS 127.0.0.1:18081/readyz", t => t.Should().Be("ok"), seconds: 60);
        await Task.Delay(TimeSpan.FromSeconds(3));
    }

    private static Cost Read(int pid)
    {
        var status = File.ReadAllLines($"/proc/{pid}/status").Select(l => l.Split(':', 2)).ToDictionary(l => l[0], l => l[1].Trim());
        // The runtime sizes its pool by the load of the moment; whatever else there is stays as it was.
        var threads = Directory.GetDirectories($"/proc/{pid}/task").Select(t => File.ReadAllText($"{t}/comm")).ToArray();
        var pooled = threads.Count(t => t.StartsWith(".NET TP", StringComparison.Ordinal));
        return new Cost(
            int.Parse(status["VmRSS"].Split(' ')[0], CultureInfo.InvariantCulture),
            threads.Length - pooled,
            pooled,
            Directory.GetFiles($"/proc/{pid}/fd").Length,
            Directory.GetDirectories($"/proc/{pid}/task").Select(t => new FileInfo($"{t}/ns/net").LinkTarget).Distinct().Count());
    }

    private sealed record Cost(int Kilobytes, int OwnThreads, int PoolThreads, int Descriptors, int Namespaces);
}
