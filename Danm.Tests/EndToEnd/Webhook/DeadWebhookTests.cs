using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>What a webhook that is away keeps from happening, and what not.</summary>
[TestFixture, Parallelizable]
public sealed class DeadWebhookTests : WebhookFixture
{
    private protected override int Replicas => 0;

    [TestCase("DanmNet", "default", 500)]
    [TestCase("TenantNetwork", "default", 500)]
    [TestCase("ClusterNetwork", null, 500)]
    [TestCase("DanmNet", "kube-system", 201)]
    [TestCase("TenantNetwork", "kube-system", 201)]
    public async Task Networks_wait_for_it_but_not_those_of_kube_system(string kind, string? ns, int code)
    {
        var network = Objects.Network(kind, "n", """{"NetworkID":"n","Options":{"host_device":"ens4"}}""", ns);

        var answer = await CreateAsync(network);

        answer.Code.Should().Be(code);
        if (code == 500)
            answer.Message.Should().Contain("failed calling webhook \"danm-netvalidation.nokia.k8s.io\"");
        else
            (await DeleteAsync(network)).Accepted();
    }

    [Test]
    public async Task A_TenantConfig_waits_for_it() =>
        (await CreateAsync(TenantConfig("t", """{"hostDevices":[{"name":"ens4"}]}"""))).Message.Should().Contain("danm-configvalidation.nokia.k8s.io");

    [Test]
    public async Task What_the_start_of_a_Pod_writes_does_not()
    {
        (await SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/pods", Objects.Pod("p", """[{"network":"n"}]"""))).Accepted();
        (await CreateAsync(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = "e", ["namespace"] = "default" },
            ["spec"] = new JsonObject { ["NetworkName"] = "n", ["NetworkType"] = "ipvlan", ["EndpointID"] = "e", ["Pod"] = "p", ["apiType"] = "DanmNet", ["Interface"] = new JsonObject { ["Name"] = "eth0" } },
        })).Accepted();
        (await CreateAsync(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation", ["metadata"] = new JsonObject { ["name"] = "10-0-0-5.untagged.ens4" },
            ["spec"] = new JsonObject
            {
                ["network"] = new JsonObject { ["kind"] = "DanmNet", ["namespace"] = "default", ["name"] = "n" }, ["address"] = "10.0.0.5/24", ["nodeName"] = "node-1",
                ["owner"] = new JsonObject { ["namespace"] = "default", ["pod"] = "p", ["podUID"] = "u" },
            },
        })).Accepted();
    }
}
