using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>The controller's rights.</summary>
[TestFixture("production"), TestFixture("lightweight"), Parallelizable]
public sealed class ControllerRightsTests(string mode) : RightsFixture(mode)
{
    private const string Account = "danm-controller";

    [Test]
    public async Task Each_right_is_needed_and_all_are_enough()
    {
        Attach("first", "gone");
        Attach("second", "gone");
        Attach("third", "tainted");
        var tainted = Create("""{"apiVersion":"v1","kind":"Node","metadata":{"name":"tainted"},"spec":{"taints":[{"key":"node.kubernetes.io/out-of-service","effect":"NoExecute"}]} }""");
        tainted["status"] = JsonNode.Parse("""{"conditions":[{"type":"Ready","status":"True"}]}""");
        Store.Update(tainted);
        foreach (var (kind, plural) in ((string, string)[])[("DanmEp", "danmeps"), ("IPAllocation", "ipallocations")])
            ReplaceBeforeDeletion("danm.io/v1", kind, plural);
        if (Mode.HasTenants)
        {
            ReplaceBeforeDeletion("danm.io/v1", "VNIAllocation", "vniallocations");
            OwnNetwork("lost", """{"NetworkID":"lost","Options":{"host_device":"parent0","vlan":500}}""");
            OwnNetwork("renamed", """{"NetworkID":"renamed","Options":{"host_device":"parent0","vlan":501}}""");
            Reserve(501, "by-its-former-name");
            Reserve(502, "never-made");
        }

        LoseAnswerOfEvent();

        await using var controller = Start("danm-controller", "--node-grace=1s", "--vni-grace=1s", "--allow-short-vni-grace");
        await controller.UntilReadyAsync();
        await Eventually.HoldsAsync(() => Attached().Should().HaveCount(2, "of a node that is gone one is freed, and one was another's by then: {0}", controller.Log), seconds: 30);
        await Eventually.HoldsAsync(() => Warnings("tainted").Should().Be(2));
        if (Mode.HasTenants)
            await Eventually.HoldsAsync(() => Reserved().Should().Equal("500 lost", "501 renamed"), seconds: 30);
        ExpectNoComplaints(controller, Account);
        await controller.StopAsync();

        ExpectRightsOf(Account);
    }

    private void Attach(string pod, string node)
    {
        Create($$"""
            {"apiVersion":"danm.io/v1","kind":"DanmEp","metadata":{"name":"{{pod}}","namespace":"{{Namespace}}"},
             "spec":{"NetworkName":"n","EndpointID":"{{pod}}","Pod":"{{pod}}","Host":"{{node}}","nodeName":"{{node}}"} }
            """);
        Create($$"""
            {"apiVersion":"danm.io/v1","kind":"IPAllocation","metadata":{"name":"10-0-0-5.untagged.{{pod}}"},
             "spec":{"network":{"kind":"ClusterNetwork","name":"n"},"address":"10.0.0.5/16","nodeName":"{{node}}","owner":{"namespace":"{{Namespace}}","pod":"{{pod}}","podUID":"u","danmEp":"{{pod}}"} } }
            """);
    }

    private void Reserve(int id, string network) => Create($$"""
        {"apiVersion":"danm.io/v1","kind":"VNIAllocation","metadata":{"name":"vlan{{id}}.parent0"},
         "spec":{"device":"parent0","vniType":"vlan","vni":{{id}},"network":{"kind":"TenantNetwork","namespace":"{{Namespace}}","name":"{{network}}"} } }
        """);

    private IEnumerable<string> Attached() => Store.List("danm.io/v1", "DanmEp").Select(e => e.At("spec", "Pod").String()!);

    private IEnumerable<string> Reserved() => Store.List("danm.io/v1", "VNIAllocation").Select(a => $"{a.At("spec", "vni")} {a.At("spec", "network", "name").String()}").Order(StringComparer.Ordinal);
}
