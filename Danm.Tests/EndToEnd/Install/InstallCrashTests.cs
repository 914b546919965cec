using System.Text.RegularExpressions;

namespace Danm.Tests.EndToEnd.Install;

/// <summary>The installer killed at each of its steps, under the eyes of a reader that looks at the folder all the time as a kubelet does.</summary>
[TestFixture, Parallelizable]
public sealed partial class InstallCrashTests : InstallFixture
{
    // All that changes what has a name on the disk.
    private const string Steps = "write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,symlink,symlinkat,fsync,fdatasync,mkdir,mkdirat,chmod,fchmod,fchmodat";

    // The executable is written in thirty pieces, one as good as the other.
    private const int Most = 8;

    [Test]
    public async Task Killed_at_any_step_it_leaves_nothing_that_a_kubelet_could_stumble_over_and_goes_on_from_there()
    {
        if (!File.Exists("/usr/bin/strace"))
            DanmBinary.Lacks("strace is missing: apt-get install strace");
        Prepare();
        var (code, trace) = await TracedAsync([]);
        code.Should().Be(0, trace);
        var calls = Step().Matches(trace).Select(m => m.Groups["call"].Value).ToHashSet();
        calls.Should().Contain(["write", "fsync", "rename", "mkdir"]);
        var (deaths, unfinished) = (0, 0);

        // strace counts each call for itself: the first, the second and so on of each, until one is not reached any more.
        foreach (var call in calls)
        {
            for (var time = 1; time <= Most; time++)
            {
                Prepare();
                var step = $"killed at {call} {time}";
                var (end, faults) = await WatchedAsync(() => TracedAsync(["-e", $"inject={call}:signal=SIGKILL:when={time}"]));
                faults.Should().BeEmpty(step);
                Faults().Should().BeEmpty(step);
                if (end == 0)
                    break;
                deaths++;
                if (Left().Any(f => f!.Contains("unfinished", StringComparison.Ordinal)))
                    unfinished++;

                var (again, more) = await WatchedAsync(() => OnceAsync());
                again.Should().Be(0, $"{step}, begun again");
                more.Should().BeEmpty($"{step}, begun again");
                Faults().Should().BeEmpty();
                File.Exists(Conflist).Should().BeTrue();
                Left().Should().BeEquivalentTo(["00-danm.conflist", "10-pods.conflist", "danm.d", "kubeconfig", "token", "danm", "fakeipam"], step);
            }
        }

        deaths.Should().BeGreaterThan(12);
        unfinished.Should().BeGreaterThan(3, "files that were begun are left at some of them");
        await TestContext.Progress.WriteLineAsync($"killed at {deaths} steps, {unfinished} of them with an unfinished file");

        void Prepare()
        {
            Renew();
            Primary();
            File.WriteAllText(Path.Combine(ConfDir, "00-danm.conf"), """{"cniVersion":"0.3.1","name":"old","type":"danm"}""");
        }
    }

    private IEnumerable<string?> Left() =>
        Directory.EnumerateFileSystemEntries(ConfDir, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(BinDir)).Select(Path.GetFileName);

    private Task<(int Code, string Error)> TracedAsync(string[] injection) =>
        RunAsync(["/usr/bin/strace", "-f", "-qq", "-y", "-e", $"trace={Steps}", .. injection, DanmBinary.Path, "install", "--once", .. Arguments()]);

    private async Task<(int Code, List<string> Faults)> WatchedAsync(Func<Task<(int Code, string Error)>> run)
    {
        var running = run();
        var faults = new List<string>();
        while (!running.IsCompleted)
        {
            faults.AddRange(Faults());
            await Task.Yield();
        }

        return ((await running).Code, faults);
    }

    [GeneratedRegex(@"(?m)^(\[pid +\d+\] )?(?<call>(p?write|rename|unlink|symlink|fsync|fdatasync|mkdir|chmod|fchmod)\w*)\(")]
    private static partial Regex Step();
}
