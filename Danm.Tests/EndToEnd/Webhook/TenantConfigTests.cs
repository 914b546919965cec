using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>What TenantNetworks get where there is no TenantConfig, where there are several, and where one has just changed.</summary>
[TestFixture, Parallelizable]
public sealed class TenantConfigTests : WebhookFixture
{
    private const string Plain = """{"NetworkID":"t","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""";

    [SetUp]
    public void Clean()
    {
        foreach (var kind in (string[])["TenantConfig", "TenantNetwork", "VNIAllocation"])
        {
            foreach (var item in Server.Store.List("danm.io/v1", kind))
                Server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    [Test]
    public async Task Without_any_no_TenantNetwork_is_made_and_what_is_there_can_be_changed_and_deleted()
    {
        var denied = await CreateAsync(Objects.Network("TenantNetwork", "t", Plain));
        denied.Code.Should().Be(422);
        denied.Message.Should().Contain("there is no TenantConfig that says what tenants may have");
        Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(0);
        (await CreateAsync(Objects.Network("DanmNet", "d", """{"NetworkID":"d","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}"""))).Accepted();
        Server.Store.Delete("danm.io/v1", "DanmNet", "default", "d");

        var old = Server.Store.Create(Objects.Network("TenantNetwork", "old", """{"NetworkID":"old","NetworkType":"ipvlan","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24"}}"""));
        old["spec"]!["Options"]!["cidr"] = "10.0.1.0/24";
        (await UpdateAsync(old)).Accepted().Body.At("spec", "Options", "vlan")!.GetValue<int>().Should().Be(500);
        (await DeleteAsync(old)).Accepted();
    }

    [Test]
    public async Task Of_several_the_first_by_name_counts_whichever_is_older_and_a_warning_says_so()
    {
        (await CreateAsync(TenantConfig("b", """{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"100"}]}"""))).Accepted();
        (await CreateAsync(TenantConfig("a", """{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"200"},{"name":"ens5"}]}"""))).Accepted();
        (await CreateAsync(TenantConfig("c", """{"hostDevices":[{"name":"ens6"}]}"""))).Accepted();

        var made = (await CreateAsync(Objects.Network("TenantNetwork", "t", Plain))).Accepted();
        made.Body.At("spec", "Options", "vlan")!.GetValue<int>().Should().Be(200);
        made.Warnings.Should().Equal("there are 3 TenantConfigs, and only the first by name counts: a");
        (await CreateAsync(Objects.Network("TenantNetwork", "u", Plain.Replace("ens4", "ens6")))).Message.Should().Contain("the TenantConfig \"a\" allows \"ens4\", \"ens5\"");
    }

    [Test]
    public async Task What_is_taken_away_is_never_given_after_that()
    {
        var config = (await CreateAsync(TenantConfig("t", """{"hostDevices":[{"name":"take0","vniType":"vlan","vniRange":"100-199"},{"name":"ens5"}]}"""))).Accepted().Body;

        for (var i = 0; i < 20; i++)
        {
            config["hostDevices"]![0]!["vniRange"] = i % 2 == 0 ? "300-399" : "100-199";
            config = (await UpdateAsync(config)).Accepted().Body;
            var made = (await CreateAsync(Objects.Network("TenantNetwork", $"t{i}", On("take0")))).Accepted().Body;
            made.At("spec", "Options", "vlan")!.GetValue<int>().Should().BeInRange(i % 2 == 0 ? 300 : 100, i % 2 == 0 ? 399 : 199);
        }
    }

    [Test]
    public async Task In_a_namespace_that_is_being_terminated_nothing_is_reserved()
    {
        (await CreateAsync(TenantConfig("t", """{"hostDevices":[{"name":"ends0","vniType":"vlan","vniRange":"100-199"}]}"""))).Accepted();
        var ns = Server.Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = "ends" } });
        (await CreateAsync(Objects.Network("TenantNetwork", "before", On("ends0"), "ends"))).Accepted();
        ns["status"] = new JsonObject { ["phase"] = "Terminating" };
        Server.Store.Update(ns);

        var denied = await CreateAsync(Objects.Network("TenantNetwork", "t", On("ends0"), "ends"));

        denied.Code.Should().Be(403);
        denied.Message.Should().Contain("because it is being terminated");
        Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(1);
        // The namespace's own controller deletes what there is, as a collection.
        (await SendAsync(HttpMethod.Delete, "/apis/danm.io/v1/namespaces/ends/tenantnetworks")).Accepted();
        Server.Store.Count("danm.io/v1", "TenantNetwork").Should().Be(0);
        Server.Store.Delete("v1", "Namespace", null, "ends");
    }

    /// <summary>The request was let in before the namespace began to go, and its id is reserved when there is nothing any more to store it in.</summary>
    [Test]
    public async Task A_namespace_that_goes_during_a_review_leaves_its_id_reserved_and_no_network()
    {
        (await CreateAsync(TenantConfig("t", """{"hostDevices":[{"name":"goes0","vniType":"vlan","vniRange":"100-199"}]}"""))).Accepted();
        Server.Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = "goes" } });
        Server.Faults.Add(new Fault(Fault.On("create", "vniallocations"))
        {
            Count = 1,
            Hold = () =>
            {
                Server.Store.Delete("v1", "Namespace", null, "goes");
                return Task.CompletedTask;
            },
        });

        (await CreateAsync(Objects.Network("TenantNetwork", "t", On("goes0"), "goes"))).Code.Should().Be(404);

        Server.Store.Count("danm.io/v1", "TenantNetwork").Should().Be(0);
        Server.Store.List("danm.io/v1", "VNIAllocation").Should().ContainSingle().Which.At("spec", "vni")!.GetValue<int>().Should().Be(100);
        (await CreateAsync(Objects.Network("TenantNetwork", "t", On("goes0")))).Accepted().Body.At("spec", "Options", "vlan")!.GetValue<int>().Should().Be(101);
    }

    [Test]
    public async Task A_collection_is_deleted_but_for_what_has_Pods_and_no_id_is_freed()
    {
        (await CreateAsync(TenantConfig("t", """{"hostDevices":[{"name":"all0","vniType":"vlan","vniRange":"100-199"}]}"""))).Accepted();
        foreach (var name in (string[])["a", "b", "c"])
            (await CreateAsync(Objects.Network("TenantNetwork", name, On("all0")))).Accepted();
        Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = "user", ["namespace"] = "default" },
            ["spec"] = new JsonObject { ["NetworkName"] = "b", ["NetworkType"] = "ipvlan", ["EndpointID"] = "user", ["Pod"] = "user", ["apiType"] = "TenantNetwork" },
        });

        var denied = await SendAsync(HttpMethod.Delete, "/apis/danm.io/v1/namespaces/default/tenantnetworks");

        denied.Code.Should().Be(403);
        denied.Message.Should().Contain("TenantNetwork/default/b has Pods connected, such as default/user (rule 22)");
        Server.Store.List("danm.io/v1", "TenantNetwork").Select(n => n.At("metadata", "name").String()).Should().Contain("b");
        Server.Store.Delete("danm.io/v1", "DanmEp", "default", "user");
        (await SendAsync(HttpMethod.Delete, "/apis/danm.io/v1/namespaces/default/tenantnetworks")).Accepted();
        Server.Store.Count("danm.io/v1", "TenantNetwork").Should().Be(0);
        Server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(3, "the controller frees them, after the grace");
    }
    // A device for each test: for some seconds a replica takes an id for taken whose VNIAllocation somebody has deleted.
    private static string On(string device) => Plain.Replace("ens4", device);
}
