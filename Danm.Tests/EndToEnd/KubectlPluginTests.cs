using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Tests;

namespace Danm.Tests.EndToEnd;

/// <summary>The published executable as a plugin of kubectl.</summary>
public sealed class KubectlPluginTests
{
    [OneTimeSetUp]
    public void NeedBinary() => DanmBinary.Require();

    [Test]
    public async Task Kubectl_finds_ipam_as_its_plugin()
    {
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        server.Store.Create(Objects.Network("ClusterNetwork", "wide", """{"NetworkID":"wide","Options":{"host_device":"ens4","cidr":"10.0.0.0/8"}}"""));
        using var kubectl = await Kubectl.FindAsync(server.Kubeconfig());
        var folder = Directory.CreateTempSubdirectory("danm-plugin-");
        try
        {
            File.CreateSymbolicLink(Path.Combine(folder.FullName, "kubectl-danm"), DanmBinary.Path);
            kubectl.PluginFolder = folder.FullName;

            (await kubectl.OutputAsync("danm", "ipam", "inspect")).Should().MatchRegex(@"ClusterNetwork/wide +0% +0 +16777214 +16777214 +0 +0 +0 +10\.0\.0\.1-10\.255\.255\.254");
            (await kubectl.OutputAsync("danm", "ipam", "inspect", "cn/wide")).Should().Contain("each character 65,536 addresses");
            (await kubectl.OutputAsync("danm", "ipam", "release", "--help")).Should().Contain("ADDRESS");
            var (code, _, error) = await kubectl.RunAsync("danm", "ipam", "inspect", "cn/missing");
            code.Should().Be(1);
            error.Should().StartWith("error: there is no ClusterNetwork/missing");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
