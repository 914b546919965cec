using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Attach;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.State;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Attach.Delegation;

/// <summary>How a delegate was called, when only the API still knows of the Pod.</summary>
public sealed class DelegateRecoveryTests : AttachFixture
{
    private const string Bridge = """{"cniVersion":"1.0.0","name":"br","type":"bridge","ipam":{"type":"host-local"}}""";

    private string cniDir = "";

    [SetUp]
    public void MakeCniDir() => cniDir = Directory.CreateTempSubdirectory("danm-cni-").FullName;

    [TearDown]
    public void Forget()
    {
        Directory.Delete(cniDir, recursive: true);
        foreach (var kind in (string[])["DanmNet", "ClusterNetwork"])
        {
            foreach (var item in Server.Store.List("danm.io/v1", kind))
                Server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    // Address of the DanmEp, subnet of the network; whose the address was.
    [TestCase("10.0.0.5/24", "10.0.0.0/24", true)]
    [TestCase("10.7.0.5/24", "10.0.0.0/24", false)]
    [TestCase("10.7.0.5/24", null, false)]
    [TestCase("none", "10.0.0.0/24", false)]
    [TestCase("", null, false)]
    public async Task A_static_delegate_is_found_by_its_network_and_its_file(string address, string? cidr, bool isDanms)
    {
        await File.WriteAllTextAsync(Path.Combine(cniDir, "br.conf"), Bridge);
        Server.Store.Create(Objects.Network("DanmNet", "n", $$$"""{"NetworkID":"br","NetworkType":"bridge","Options":{"cidr":"{{{cidr}}}"}}"""));

        var found = await RecoverAsync("bridge", address);

        found.UnknownDelegate.Should().BeNull();
        found.Delegate!.Name.Should().Be("br");
        found.Delegate.Plugins.Should().ContainSingle().Which.Config.Should().Be(
            isDanms ? Bridge.Replace("""{"type":"host-local"}""", """{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/24","version":4}]}""") : Bridge);
        LogText.Should().Contain("nothing on this node tells how the interface was made").And.Contain("DanmNet/default/n");
    }

    [Test]
    public async Task A_macvlan_is_found_by_its_network_alone()
    {
        Server.Store.Create(Objects.Network("ClusterNetwork", "n", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}"""));

        var found = await RecoverAsync("macvlan", "10.0.0.5/24", "ClusterNetwork");

        found.Delegate!.Plugins.Should().ContainSingle().Which.Config.Should().Contain("\"master\":\"ens4\"").And.Contain("10.0.0.5/24");
    }

    [TestCase("its network is gone", null, null, "DanmNet", "is gone")]
    [TestCase("its file is gone", """{"NetworkID":"br","NetworkType":"bridge"}""", null, "DanmNet", "br.conf")]
    [TestCase("its file is for another plugin", """{"NetworkID":"br","NetworkType":"bridge"}""", """{"type":"ptp"}""", "DanmNet", "'ptp'")]
    [TestCase("its file is none", """{"NetworkID":"br","NetworkType":"bridge"}""", "[]", "DanmNet", "not a JSON object")]
    [TestCase("its kind is none", """{"NetworkID":"br","NetworkType":"bridge"}""", Bridge, "Secret", "'Secret'")]
    public async Task What_cannot_be_found_out_is_left_to_be_removed_by_name(string why, string? network, string? file, string apiType, string logged)
    {
        if (network is not null)
            Server.Store.Create(Objects.Network("DanmNet", "n", network));
        if (file is not null)
            await File.WriteAllTextAsync(Path.Combine(cniDir, "br.conf"), file);

        var found = await RecoverAsync("bridge", "10.0.0.5/24", apiType);

        found.Delegate.Should().BeNull(why);
        found.UnknownDelegate.Should().Be("bridge");
        LogText.Should().Contain("removed by name").And.Contain(logged);
    }

    [Test]
    public async Task A_network_of_another_namespace_is_not_believed_to_be_its_own()
    {
        await File.WriteAllTextAsync(Path.Combine(cniDir, "br.conf"), Bridge);
        Server.Store.Create(Objects.Network("DanmNet", "n", """{"NetworkID":"br","NetworkType":"bridge"}""", ns: "victim"));

        (await RecoverAsync("bridge", "10.0.0.5/24")).Delegate.Should().BeNull();
    }

    [Test]
    public async Task A_network_with_a_fault_still_has_its_file()
    {
        await File.WriteAllTextAsync(Path.Combine(cniDir, "br.conf"), Bridge);
        Server.Store.Create(Objects.Network("DanmNet", "n", """{"NetworkID":"br","NetworkType":"bridge","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","routes":{"10.9.0.0/16":"192.168.0.1"}}}"""));

        (await RecoverAsync("bridge", "10.7.0.5/24")).Delegate!.Plugins.Should().ContainSingle().Which.Config.Should().Be(Bridge);
    }

    [TestCase("default", true)]
    [TestCase("victim", false)]
    public async Task A_ClusterNetwork_is_asked_for_its_tenants(string tenant, bool isFound)
    {
        await File.WriteAllTextAsync(Path.Combine(cniDir, "br.conf"), Bridge);
        Server.Store.Create(Objects.Network("ClusterNetwork", "n", $$"""{"NetworkID":"br","NetworkType":"bridge","AllowedTenants":["{{tenant}}"]}"""));

        ((await RecoverAsync("bridge", "10.7.0.5/24", "ClusterNetwork")).Delegate is not null).Should().Be(isFound);
    }

    [Test]
    public async Task Our_own_interfaces_ask_nobody()
    {
        await RecoverAsync("ipvlan", "10.0.0.5/24");

        Server.Requests.All.Should().BeEmpty();
    }

    private async Task<AttachmentRecord> RecoverAsync(string type, string address, string apiType = "DanmNet")
    {
        var endpoint = new DanmEp
        {
            Metadata = new ObjectMeta { Name = "ep1", Namespace = "default" },
            Spec = new DanmEpSpec
            {
                NetworkName = "n", NetworkType = type, EndpointId = "ep1", Pod = "amf-0", ContainerId = "c1", ApiType = apiType,
                Interface = new DanmEpInterface { Name = "eth0", Address = address },
            },
        };
        var record = DanmEpSearch.ToRecord([endpoint], new SandboxRecord { ContainerId = "c1", PodUid = PodUid, PodNamespace = "default" });
        var request = Request(CniCommand.Del, "c1");
        var call = new NodeCall(request with { Config = request.Config with { CniDir = cniDir, CniVersion = SpecVersion.V1_0_0 } }, State.Node);

        return (await new DelegateRecovery(call, new PodReader(Api)).CompleteAsync(record, [endpoint], CancellationToken.None)).Attachments.Single();
    }
}
