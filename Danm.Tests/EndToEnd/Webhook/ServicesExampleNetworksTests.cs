using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>The networks of manifests/examples/services where the webhook guards the cluster.</summary>
[TestFixture, Parallelizable]
public sealed class ServicesExampleNetworksTests : WebhookFixture
{
    [Test]
    public async Task Are_let_through_without_a_warning()
    {
        var checkedKinds = new List<string>();
        foreach (var made in Manifests.Read(Path.Combine(Example.Folder, "services", "1-networks.yaml")))
        {
            if (made["kind"].String() == "Namespace")
            {
                Server.Store.Create(made);
                continue;
            }

            (await CreateAsync(made)).Accepted().Warnings.Should().BeEmpty(made.ToJsonString());
            checkedKinds.Add(made["kind"].String()!);
        }

        checkedKinds.Should().Equal("ClusterNetwork", "DanmNet");
    }
}
