using Danm.Tests.ApiServer.Tests;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>kubectl and the manifests, on a cluster of their own.</summary>
public sealed class ApplyTests : ClusterFixture
{
    // The webhook writes its certificate authority into its configuration.
    [Test]
    public async Task Applied_again_they_change_nothing_and_keep_what_the_webhook_wrote()
    {
        using var kubectl = await Kubectl.FindAsync(Cluster.Kubeconfig());
        kubectl.Needs(27);
        var production = Path.Combine(DanmBinary.Repository, "manifests/production");
        await kubectl.OutputAsync("apply", "-k", production);
        await kubectl.OutputAsync("patch", "mutatingwebhookconfiguration", "danm-webhook-config", "--type=json", "-p", """[{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "Q0E="}]""");

        var again = await kubectl.OutputAsync("apply", "-k", production);

        again.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCountGreaterThan(40).And.OnlyContain(l => l.EndsWith(" unchanged") || l.EndsWith("danm-webhook-config configured")
            // Its selector is replaced as a whole each time, with what it was.
            || l.StartsWith("poddisruptionbudget"));
        (await kubectl.OutputAsync("get", "mutatingwebhookconfiguration", "danm-webhook-config", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")).Should().Be("Q0E=");
        await kubectl.OutputAsync("delete", "-k", production);
    }
}
