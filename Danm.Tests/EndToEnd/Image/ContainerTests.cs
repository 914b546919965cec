using System.Text.Json.Nodes;
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
        var (exitCode, output) = await sandbox.RunAsync(program, ["-version"]);

        exitCode.Should().Be(0, output);
        output.Should().StartWith("danm 0.1.0 ");
    }

    [Test]
    public async Task The_webhook_serves_TLS()
    {
        var webhook = new ServedWebhook(runtime.Node);
        var given = Directory.CreateDirectory(runtime.Node.PathOf("given")).FullName;
        webhook.WriteFiles(given);

        var container = await sandbox.StartAsync("/usr/local/bin/webhook", ServedWebhook.Arguments("/given"), Given(given, "/given"));

        await webhook.ExpectServedAsync();
        var (exitCode, output) = await sandbox.StopAsync(container);
        exitCode.Should().Be(0, output);
    }

    [Test]
    public async Task The_authorities_of_the_host_are_those_of_its_folder()
    {
        var given = Directory.CreateDirectory(runtime.Node.PathOf("without-authority")).FullName;
        var authorities = Directory.CreateDirectory(runtime.Node.PathOf("authorities")).FullName;
        var kubeconfig = (JsonObject)JsonNode.Parse(runtime.Node.KubeconfigText())!;
        var cluster = kubeconfig["clusters"]![0]!["cluster"]!.AsObject();
        await File.WriteAllBytesAsync(Path.Combine(authorities, "cluster.crt"), Convert.FromBase64String((string)cluster["certificate-authority-data"]!));
        cluster.Remove("certificate-authority-data");
        await File.WriteAllTextAsync(Path.Combine(given, "kubeconfig"), kubeconfig.ToJsonString());
        string[] look = ["ipam", "inspect", "--kubeconfig=/given/kubeconfig"];

        var unknown = await sandbox.RunAsync("", look, Given(given, "/given"));
        var known = await sandbox.RunAsync("", look, Given(given, "/given"), Given(authorities, "/etc/ssl/certs"));

        unknown.ExitCode.Should().Be(1);
        unknown.Output.Should().Contain("certificate");
        known.ExitCode.Should().Be(0, known.Output);
    }

    private static Mount Given(string folder, string path) => new() { HostPath = folder, ContainerPath = path, Readonly = true };
}
