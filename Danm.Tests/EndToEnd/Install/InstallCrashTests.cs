using System.Text.RegularExpressions;

namespace Danm.Tests.EndToEnd.Install;

/// <summary>The installer killed at each of its steps, under the eyes of a reader that looks at the folder all the time as a kubelet does.</summary>
[TestFixture, Parallelizable]
public sealed partial class InstallCrashTests : InstallFixture
{
    // All that changes what has a name on the disk.
    private const string Steps = "rename,renameat,renameat2,unlink,unlinkat,symlink,symlinkat,fsync,fdatasync,mkdir,mkdirat,chmod,fchmod,fchmodat";

    [Test]
    public async Task Killed_at_any_step_it_leaves_nothing_that_a_kubelet_could_stumble_over_and_goes_on_from_there()
    {
        if (!File.Exists("/usr/bin/strace"))
            DanmBinary.Lacks("strace is missing: apt-get install strace");
        Prepare();
        var (code, trace) = await TracedAsync([]);
        code.Should().Be(0, trace);
        var steps = Step().Matches(trace).Count;
        steps.Should().BeGreaterThan(20);

        for (var step = 1; step <= steps; step++)
        {
            Prepare();
            var (end, faults) = await WatchedAsync(() => TracedAsync(["-e", $"inject={Steps}:signal=SIGKILL:when={step}"]));
            faults.Should().BeEmpty($"killed at step {step} of {steps}");
            Faults().Should().BeEmpty($"killed at step {step} of {steps}");
            if (end == 0)
                break; // More steps were counted than there are of these.

            var (again, more) = await WatchedAsync(() => OnceAsync());
            again.Should().Be(0, $"begun again after step {step}");
            more.Should().BeEmpty($"begun again after step {step}");
            Faults().Should().BeEmpty();
            File.Exists(Conflist).Should().BeTrue();
            Directory.EnumerateFileSystemEntries(ConfDir, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(BinDir)).Select(Path.GetFileName)
                .Should().BeEquivalentTo(["00-danm.conflist", "10-pods.conflist", "danm.d", "kubeconfig", "token", "danm", "fakeipam"], $"killed at step {step}");
        }

        void Prepare()
        {
            Renew();
            Primary();
            File.WriteAllText(Path.Combine(ConfDir, "00-danm.conf"), """{"cniVersion":"0.3.1","name":"old","type":"danm"}""");
        }
    }

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

    [GeneratedRegex(@"(?m)^(\[pid +\d+\] )?(rename|unlink|symlink|fsync|fdatasync|mkdir|chmod|fchmod)\w*\(")]
    private static partial Regex Step();
}
