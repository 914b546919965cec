using Danm.Tests.EndToEnd.Runtime;
using Danm.Tests.EndToEnd.Runtime.Cri;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>The image under containerd, imported from its archive, in containers that may do as little as one can.</summary>
[TestFixture, Parallelizable]
public sealed class ContainerTests
{
    private ContainerRuntime runtime = null!;
    private Runtime.Cri.Image imported = null!;
    private ConfinedSandbox sandbox = null!;

    [OneTimeSetUp]
    public async Task Import()
    {
        ImageArchive.Require();
        runtime = await ContainerRuntime.StartAsync();
        imported = await runtime.ImportAsync(ImageArchive.Path, ImageArchive.Name);
        sandbox = await ConfinedSandbox.StartAsync(runtime, "programs", ImageArchive.Name);
    }

    [OneTimeTearDown]
    public async Task End()
    {
        if (runtime is null)
            return;
        await runtime.RemoveAllAsync();
        await runtime.DisposeAsync();
    }

    [Test]
    public void The_runtime_knows_its_name_and_that_it_is_not_roots()
    {
        var image = ImageArchive.Open();
        imported.RepoTags.Should().Equal(ImageArchive.Name);
        imported.RepoDigests.Should().Equal($"localhost/danm@{(string)image.Index["manifests"]![0]!["digest"]!}");
        imported.Id.Should().Be((string)image.Manifest["config"]!["digest"]!);
        imported.Uid.Value.Should().Be(65532);
    }

    [Test]
    public async Task Every_command_starts() =>
        (await Commands.ExpectHelpOfAllAsync(path => sandbox.RunAsync("", path))).Should().Contain(["plan", "ipam inspect", "svc inspect", "controller", "install", "uninstall", "completion"]);

    [Test]
    public async Task Every_name_starts_also_without_its_folder(
        [Values("/usr/local/bin/netwatcher", "/usr/local/bin/svcwatcher", "/usr/local/bin/webhook", "/cni/danm", "/cni/fakeipam", "danm", "fakeipam", "kubectl-danm")] string program)
    {
        var (exitCode, output) = await sandbox.RunAsync(program, "-version");

        exitCode.Should().Be(0, output);
        output.Should().StartWith("danm 0.1.0 ");
    }

    [Test]
    public async Task The_webhook_serves_TLS()
    {
        var webhook = new ServedWebhook(runtime.Node);
        var given = Directory.CreateDirectory(runtime.Node.PathOf("given")).FullName;
        webhook.WriteFiles(given);

        var container = await sandbox.StartAsync("/usr/local/bin/webhook", ServedWebhook.Arguments("/given"), new Mount { HostPath = given, ContainerPath = "/given", Readonly = true });

        await webhook.ExpectServedAsync();
        var (exitCode, output) = await sandbox.StopAsync(container);
        exitCode.Should().Be(0, output);
    }
}
