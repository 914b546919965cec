using Danm.Tests.ApiServer;
using Danm.Tests.Deployment;

namespace Danm.Tests.EndToEnd.Doctor;

/// <summary>A cluster of the lightweight mode, from outside: what only tenants need is not missed, and half of it is worse than none.</summary>
[TestFixture, Parallelizable]
public sealed class LightweightTests
{
    private static readonly string[] Kinds = ["danmnets", "clusternetworks", "danmeps", "ipallocations"];

    [Test]
    public async Task Kinds_that_only_tenants_need_are_not_missed()
    {
        var lines = (await ExamineAsync(Kinds)).Lines;

        lines.Should().NotContain(l => l.Contains("could not check", StringComparison.Ordinal));
        lines.Should().ContainMatch("ok cluster-crds: 4 CustomResourceDefinitions *");
        foreach (var check in (string[])["rbac", "policies", "flowcontrol", "networks", "pools", "addresses", "danmeps", "vnis", "original"])
            lines.Should().ContainMatch($"ok cluster-{check}: *");
    }

    [Test]
    public async Task Half_of_the_kinds_that_tenants_need_is_a_failure()
    {
        var result = await ExamineAsync([.. Kinds, "tenantnetworks"]);

        result.Lines.Should().ContainMatch("failed cluster-crds: of the kinds for tenants tenantconfigs and vniallocations are missing *");
        result.Code.Should().Be(1);
    }

    private static async Task<DoctorResult> ExamineAsync(string[] kinds)
    {
        var manifests = Path.Combine(DanmBinary.Repository, "manifests");
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [.. kinds.Select(k => Path.Combine(manifests, "crds", $"{k}.yaml"))] });
        foreach (var o in Kustomization.Build(Path.Combine(manifests, "lightweight")).Where(o => o["kind"].String() != "CustomResourceDefinition"))
            server.Store.Create(o);
        var folder = Directory.CreateTempSubdirectory("danm-doctor-");
        try
        {
            var kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
            await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
            return await HealthyCluster.RunAsync(DanmBinary.Path, "doctor", "--cluster", "--kubeconfig", kubeconfig, "-o", "json");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
