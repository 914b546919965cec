using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>
/// The image's files are all that its programs need: its root is read-only, with nothing else in it but /proc, /sys and /dev/urandom, and
/// what a test gives a program to read.
/// </summary>
[TestFixture, Parallelizable]
public sealed class EmptyRootTests
{
    private HostNode node = null!;
    private string root = null!;

    [OneTimeSetUp]
    public async Task Unpack()
    {
        var image = ImageArchive.Open();
        node = await HostNode.StartAsync();
        root = Directory.CreateDirectory(node.PathOf("root")).FullName;
        image.UnpackTo(root);
        new ServedWebhook(node).WriteFiles(Directory.CreateDirectory(Path.Combine(root, "given")).FullName);
        await node.ShellAsync($"""
            mkdir {root}/proc {root}/sys {root}/dev && touch {root}/dev/urandom
            mount --bind {root} {root} && mount -o remount,bind,ro {root}
            mount -t proc proc {root}/proc
            mount -t sysfs sysfs {root}/sys
            mount --bind /dev/urandom {root}/dev/urandom
            """);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    [Test]
    public async Task Every_command_starts() =>
        (await Commands.ExpectHelpOfAllAsync(path => RunAsync("/usr/local/bin/danm", path))).Should().Contain(["plan", "ipam inspect", "svc inspect", "controller", "install", "uninstall", "completion"]);

    [TestCase("/usr/local/bin/danm")]
    [TestCase("/usr/local/bin/fakeipam")]
    [TestCase("/usr/local/bin/kubectl-danm")]
    [TestCase("/usr/local/bin/netwatcher")]
    [TestCase("/usr/local/bin/svcwatcher")]
    [TestCase("/usr/local/bin/webhook")]
    [TestCase("/cni/danm")]
    [TestCase("/cni/fakeipam")]
    public async Task Every_name_starts(string program)
    {
        var (exitCode, output) = await RunAsync(program, ["-version"]);

        exitCode.Should().Be(0, output);
        output.Should().StartWith("danm 0.1.0 ");
    }

    [TestCase("/cni/danm")]
    [TestCase("/cni/fakeipam")]
    public async Task The_CNI_plugins_answer(string plugin)
    {
        var outcome = await node.CallAsync(new CniCall("VERSION") { Config = new JsonObject { ["cniVersion"] = "1.0.0" } }, ["chroot", root, plugin]);

        outcome.Succeeded().Json["supportedVersions"]!.AsArray().Select(v => (string)v!).Should().Contain(["0.1.0", "1.1.0"]);
    }

    [Test]
    public async Task The_webhook_serves_TLS()
    {
        await using var webhook = ModeProcess.StartLine([.. Enter, "/usr/local/bin/webhook", .. ServedWebhook.Arguments("/given")]);

        await new ServedWebhook(node).ExpectServedAsync();
        (await webhook.StopAsync()).Should().Be(0, webhook.Log);
    }

    [TestCase("controller", 8081)]
    [TestCase("svcwatcher", 8082)]
    public async Task What_runs_as_a_Deployment_becomes_ready(string mode, int port)
    {
        await using var process = ModeProcess.StartLine([.. Enter, "/usr/local/bin/danm", mode, "--kubeconfig=/given/kubeconfig", $"--health-probe-bind-address=127.0.0.1:{port}", "--metrics-bind-address=0"]);

        await node.EventuallyAsync($"curl -s http://127.0.0.1:{port}/readyz", text => text.Should().Be("ok", process.Log));
        (await process.StopAsync()).Should().Be(0, process.Log);
    }

    private string[] Enter => [.. node.Enter, "chroot", "--userspec=65532:65532", root];

    private async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments)
    {
        string[] line = [.. Enter, program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (process.ExitCode, await output + await error);
    }
}
