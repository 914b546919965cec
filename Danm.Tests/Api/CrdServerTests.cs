using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Api;

/// <summary>
/// manifests/crds on an API server: what the original and its users wrote is stored as it came, and what is next to it but wrong is
/// refused with the field's name.
/// </summary>
public sealed class CrdServerTests
{
    private static int s_count;

    private ITestCluster cluster = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync(Path.Combine(DanmBinary.Repository, "manifests/crds"));
    }

    [OneTimeTearDown]
    public async Task Stop() => await cluster.DisposeAsync();

    // The original's empty pools, its bitmaps, its CIDR texts in lastIp, and every field of its examples.
    [TestCase("{}")]
    [TestCase("""{"spec": {}}""")]
    [TestCase("""{"spec": {"NetworkID": "", "Options": {}}}""")]
    [TestCase("""{"spec": {"NetworkID": "external", "NetworkType": "ipvlan", "AllowedTenants": ["a", "kube-system"], "Options": {"host_device": "ens4", "container_prefix": "ext", "rt_tables": 250, "vlan": 300, "cidr": "10.100.20.0/24", "allocation_pool": {"start": "10.100.20.10", "end": "10.100.20.30"}}}}""")]
    [TestCase("""{"spec": {"NetworkID": "internal", "NetworkType": "ipvlan", "Options": {"host_device": "ens3", "container_prefix": "int", "rt_tables": 200, "vxlan": 600, "cidr": "10.240.1.0/24", "net6": "2001:db8::/64", "allocation_pool_v6": {"start": "2001:db8::10", "end": "2001:db8::ff", "cidr": "2001:db8::/105"}}}}""")]
    [TestCase("""{"spec": {"NetworkID": "routed-net", "NetworkType": "ipvlan", "Options": {"host_device": "bond0", "cidr": "10.0.0.0/24", "rt_tables": 10, "routes": {"10.0.1.0/24": "10.0.0.65"}, "net6": "fd00::/64", "routes6": {"fd01::/64": "fd00::1"}, "mtu": 9000}}}""")]
    [TestCase("""{"spec": {"NetworkID": "sriov-a", "NetworkType": "sriov", "Options": {"device_pool": "nokia.k8s.io/sriov_ens1f0", "container_prefix": "first_path", "vlan": 250}}}""")]
    [TestCase("""{"spec": {"NetworkID": "flannel", "NetworkType": "flannel"}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "NetworkType": ""}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "NetworkType": "IPVLAN", "Options": {"host_device": "eth0.7"}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"cidr": "", "net6": "", "host_device": "", "device_pool": "", "container_prefix": "", "alloc": "", "alloc6": ""}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"allocation_pool": {"start": "", "end": "", "lastIp": ""}, "allocation_pool_v6": {"start": "", "end": "", "lastIp": "", "cidr": ""}}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"cidr": "10.0.0.0/29", "alloc": "+Q==", "allocation_pool": {"start": "10.0.0.1", "end": "10.0.0.6", "lastIp": "10.0.0.4/29"}}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"cidr": "10.0.0.0/29", "allocation_pool": {"lastIp": "10.0.0.4"}, "net6": "FD00::/64", "alloc6": "kA==", "allocation_pool_v6": {"lastIp": "fd00::7/64"}}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"rt_tables": 0}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"rt_tables": 300}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"rt_tables": 4294967295}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"vlan": 4094, "host_device": "ens4", "device_pool": ""}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "Options": {"vxlan": 16777214}}}""")]
    [TestCase("""{"spec": {"NetworkID": "x", "AllowedTenants": []}}""")]
    public async Task Networks_of_all_three_kinds_are_stored_as_written(string content)
    {
        foreach (var kind in NetworkKinds)
            await StoresAsync(kind, content);
    }

    [TestCase("""{"spec": {"NetworkID": "a/b"}}""", "spec.NetworkID")]
    [TestCase("""{"spec": {"NetworkID": "../x"}}""", "spec.NetworkID")]
    [TestCase("""{"spec": {"NetworkID": 5}}""", "spec.NetworkID")]
    [TestCase("""{"spec": {"NetworkType": "-x"}}""", "spec.NetworkType")]
    [TestCase("""{"spec": {"NetworkType": "a..b"}}""", "spec.NetworkType")]
    [TestCase("""{"spec": {"AllowedTenants": "a"}}""", "spec.AllowedTenants")]
    [TestCase("""{"spec": {"AllowedTenants": [5]}}""", "spec.AllowedTenants")]
    [TestCase("""{"spec": {"Options": []}}""", "spec.Options")]
    [TestCase("""{"spec": {"Options": {"host_device": "abcdefghijklmnop"}}}""", "spec.Options.host_device")]
    [TestCase("""{"spec": {"Options": {"host_device": "e h"}}}""", "spec.Options.host_device")]
    [TestCase("""{"spec": {"Options": {"device_pool": "/x"}}}""", "spec.Options.device_pool")]
    [TestCase("""{"spec": {"Options": {"host_device": "ens4", "device_pool": "a.b/c"}}}""", "host_device and device_pool exclude each other")]
    [TestCase("""{"spec": {"Options": {"vlan": 5, "vxlan": 5}}}""", "vlan and vxlan exclude each other")]
    [TestCase("""{"spec": {"Options": {"vlan": 0}}}""", "spec.Options.vlan")]
    [TestCase("""{"spec": {"Options": {"vlan": 4095}}}""", "spec.Options.vlan")]
    [TestCase("""{"spec": {"Options": {"vlan": "300"}}}""", "spec.Options.vlan")]
    [TestCase("""{"spec": {"Options": {"vxlan": 0}}}""", "spec.Options.vxlan")]
    [TestCase("""{"spec": {"Options": {"vxlan": 16777215}}}""", "spec.Options.vxlan")]
    [TestCase("""{"spec": {"Options": {"container_prefix": "a/b"}}}""", "spec.Options.container_prefix")]
    [TestCase("""{"spec": {"Options": {"rt_tables": -1}}}""", "spec.Options.rt_tables")]
    [TestCase("""{"spec": {"Options": {"rt_tables": 4294967296}}}""", "spec.Options.rt_tables")]
    [TestCase("""{"spec": {"Options": {"mtu": 67}}}""", "spec.Options.mtu")]
    [TestCase("""{"spec": {"Options": {"mtu": 65536}}}""", "spec.Options.mtu")]
    [TestCase("""{"spec": {"Options": {"cidr": "10.0.0.0"}}}""", "spec.Options.cidr")]
    [TestCase("""{"spec": {"Options": {"cidr": "fd00::/64"}}}""", "spec.Options.cidr")]
    [TestCase("""{"spec": {"Options": {"net6": "10.0.0.0/x"}}}""", "spec.Options.net6")]
    [TestCase("""{"spec": {"Options": {"routes": ["10.0.0.1"]}}}""", "spec.Options.routes")]
    [TestCase("""{"spec": {"Options": {"routes": {"10.0.0.0/8": 1}}}}""", "spec.Options.routes")]
    [TestCase("""{"spec": {"Options": {"allocation_pool": {"start": "10.0.0.1/24"}}}}""", "spec.Options.allocation_pool.start")]
    [TestCase("""{"spec": {"Options": {"allocation_pool": {"end": "fd00::1"}}}}""", "spec.Options.allocation_pool.end")]
    [TestCase("""{"spec": {"Options": {"allocation_pool": {"lastIp": 5}}}}""", "spec.Options.allocation_pool.lastIp")]
    [TestCase("""{"spec": {"Options": {"allocation_pool_v6": {"start": "fd00::1/64"}}}}""", "spec.Options.allocation_pool_v6.start")]
    [TestCase("""{"spec": {"Options": {"allocation_pool_v6": {"cidr": "fd00::1"}}}}""", "spec.Options.allocation_pool_v6.cidr")]
    [TestCase("""{"spec": {"Options": {"alloc": {}}}}""", "spec.Options.alloc")]
    public async Task Networks_that_cannot_be_meant_are_refused(string content, string names)
    {
        foreach (var kind in NetworkKinds)
            await RefusesAsync(kind, content, names);
    }

    [TestCase("""{"spec": {"NetworkName": "external", "NetworkType": "ipvlan", "EndpointID": "4bd15c1c-2a9b-4f0c-9e44-b6dc3b2de1d1", "Interface": {"Name": "eth0", "Address": "10.0.0.5/24", "AddressIPv6": "fd00::5/64", "MacAddress": "", "proutes": null, "proutes6": null}, "Host": "worker-0.local", "Pod": "amf-0", "PodUID": "0b3b9a2e-1111-2222-3333-444455556666", "CID": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "netns": "/proc/17/ns/net", "apiType": "DanmNet"}}""")]
    [TestCase("""{"spec": {"NetworkName": "default", "NetworkType": "", "EndpointID": "e", "Interface": {"Name": "eth0", "Address": "none", "AddressIPv6": "", "MacAddress": "", "proutes": {"10.20.0.0/24": "10.0.0.1"}, "proutes6": {"fd02::/64": "fd00::1"}}, "Pod": "p", "apiType": ""}}""")]
    [TestCase("""{"spec": {"Interface": {"Name": "first_path1", "Address": "dynamic", "AddressIPv6": "FD00::5", "MacAddress": "3a:11:22:33:44:55", "DeviceID": "0000:18:02.3"}, "apiType": "TenantNetwork"}}""")]
    [TestCase("""{"spec": {"Interface": {"Address": "10.0.0.5"}, "apiType": "ClusterNetwork", "nodeName": "node-1"}}""")]
    [TestCase("""{"spec": {}}""")]
    public Task DanmEps_are_stored_as_written(string content) => StoresAsync("DanmEp", content);

    [TestCase("""{"spec": {"apiType": "danmnet"}}""", "spec.apiType")]
    [TestCase("""{"spec": {"apiType": null, "Interface": null, "Pod": 5}}""", "spec.Pod")]
    [TestCase("""{"spec": {"Interface": {"Address": ["10.0.0.5"]}}}""", "spec.Interface.Address")]
    [TestCase("""{"spec": {"Interface": {"proutes": "10.0.0.0/8"}}}""", "spec.Interface.proutes")]
    [TestCase("""{"spec": {"Interface": {"proutes6": {"fd00::/64": 5}}}}""", "spec.Interface.proutes6")]
    [TestCase("""{"spec": {"Interface": "eth0"}}""", "spec.Interface")]
    public Task DanmEps_of_another_shape_are_refused(string content, string names) => RefusesAsync("DanmEp", content, names);

    [TestCase("""{"hostDevices": [{"name": "ens4", "vniType": "vlan", "vniRange": "1000-2000"}, {"name": "ens5", "vniType": "vxlan", "vniRange": "2000-2500,2601"}], "networkIds": {"flannel": "flannel"}}""")]
    [TestCase("""{"hostDevices": [{"name": "ens4", "vniType": "", "vniRange": "", "alloc": ""}]}""")]
    [TestCase("""{"hostDevices": [{"name": "nokia.k8s.io/sriov_ens1f0", "vniType": "vlan", "vniRange": "200,300", "alloc": "gAAA"}]}""")]
    [TestCase("""{"hostDevices": [{"name": "ens4"}]}""")]
    [TestCase("""{"networkIds": {"flannel": "flannel", "IPVLAN": "tenants"}}""")]
    public Task TenantConfigs_are_stored_as_written(string content) => StoresAsync("TenantConfig", content);

    [TestCase("{}", "hostDevices or networkIds must have an entry")]
    [TestCase("""{"hostDevices": [], "networkIds": {}}""", "hostDevices or networkIds must have an entry")]
    [TestCase("""{"hostDevices": [{"vniType": "vlan", "vniRange": "1"}]}""", "hostDevices[0].name")]
    [TestCase("""{"hostDevices": [{"name": ""}]}""", "hostDevices[0].name")]
    [TestCase("""{"hostDevices": [{"name": "ens4", "vniType": "vlan"}]}""", "vniType and vniRange need each other")]
    [TestCase("""{"hostDevices": [{"name": "ens4", "vniRange": "1-2"}]}""", "vniType and vniRange need each other")]
    [TestCase("""{"hostDevices": [{"name": "ens4", "vniType": "vlan", "vniRange": ""}]}""", "vniType and vniRange need each other")]
    [TestCase("""{"hostDevices": [{"name": "ens4", "vniType": "VLAN", "vniRange": "1-2"}]}""", "hostDevices[0].vniType")]
    [TestCase("""{"hostDevices": [{"name": "ens4", "vniType": "vlan", "vniRange": "1 - 2"}]}""", "hostDevices[0].vniRange")]
    [TestCase("""{"hostDevices": {"ens4": {}}}""", "hostDevices")]
    [TestCase("""{"networkIds": {"flannel": ""}}""", "networkIds.flannel")]
    [TestCase("""{"networkIds": {"flannel": "../x"}}""", "networkIds.flannel")]
    public Task TenantConfigs_that_grant_nothing_or_nonsense_are_refused(string content, string names) => RefusesAsync("TenantConfig", content, names);

    [TestCase("""{"spec": {"network": {"kind": "DanmNet", "namespace": "default", "name": "n"}, "address": "10.0.0.5/24", "owner": {"namespace": "default", "pod": "p", "podUID": "u", "containerID": "c", "interface": "eth0", "danmEp": "e"}, "nodeName": "node-1"}}""")]
    [TestCase("""{"spec": {"network": {"kind": "ClusterNetwork", "name": "n"}, "address": "fd00::5/64", "segment": "vlan5.pool:a.b/c"}}""")]
    public Task Allocations_are_stored_as_written(string content) => StoresAsync("IPAllocation", content);

    [TestCase("{}", "spec")]
    [TestCase("""{"spec": {"address": "10.0.0.5/24"}}""", "spec.network")]
    [TestCase("""{"spec": {"network": {"kind": "DanmNet", "name": "n"}}}""", "spec.address")]
    [TestCase("""{"spec": {"network": {"kind": "", "name": "n"}, "address": "10.0.0.5/24"}}""", "spec.network.kind")]
    [TestCase("""{"spec": {"network": {"kind": "DanmNet"}, "address": "10.0.0.5/24"}}""", "spec.network.name")]
    [TestCase("""{"spec": {"network": {"kind": "DanmNet", "name": "n"}, "address": "10.0.0.5"}}""", "spec.address")]
    [TestCase("""{"spec": {"network": {"kind": "DanmNet", "name": "n"}, "address": "10.0.0.5/24", "owner": "p"}}""", "spec.owner")]
    public Task Allocations_of_nothing_are_refused(string content, string names) => RefusesAsync("IPAllocation", content, names);

    [Test]
    public async Task An_allocation_never_changes_its_owner()
    {
        var made = await cluster.CreateAsync(Object("IPAllocation", """{"spec": {"network": {"kind": "ClusterNetwork", "name": "n"}, "address": "10.0.0.5/24", "owner": {"pod": "p"}}}"""));
        made["metadata"]!["labels"] = new JsonObject { ["a"] = "b" };
        made = await cluster.UpdateAsync(made);
        made["spec"]!["owner"]!["pod"] = "q";

        var change = () => cluster.UpdateAsync(made);

        (await change.Should().ThrowAsync<HttpRequestException>()).WithMessage("*made and deleted*").Which.StatusCode.Should().Be(HttpStatusCode.UnprocessableEntity);
    }

    [TestCase("""{"spec": {"device": "ens4", "vniType": "vlan", "vni": 4094, "network": {"kind": "TenantNetwork", "namespace": "default", "name": "n"}}}""")]
    [TestCase("""{"spec": {"device": "nokia.k8s.io/sriov", "vniType": "vxlan", "vni": 16777214, "network": {"kind": "TenantNetwork", "namespace": "default"}}}""")]
    public Task Allocations_of_ids_are_stored_as_written(string content) => StoresAsync("VNIAllocation", content);

    [TestCase("""{"spec": {"device": "ens4", "vniType": "vlan", "vni": 4095}}""", "a VLAN id is 1 to 4094")]
    [TestCase("""{"spec": {"device": "ens4", "vniType": "vxlan", "vni": 16777215}}""", "spec.vni")]
    [TestCase("""{"spec": {"device": "ens4", "vniType": "vxlan", "vni": 0}}""", "spec.vni")]
    [TestCase("""{"spec": {"device": "ens4", "vniType": "", "vni": 5}}""", "spec.vniType")]
    [TestCase("""{"spec": {"device": "", "vniType": "vlan", "vni": 5}}""", "spec.device")]
    [TestCase("""{"spec": {"vniType": "vlan", "vni": 5}}""", "spec.device")]
    public Task Allocations_of_no_id_are_refused(string content, string names) => RefusesAsync("VNIAllocation", content, names);

    private static readonly string[] NetworkKinds = ["DanmNet", "TenantNetwork", "ClusterNetwork"];

    private async Task StoresAsync(string kind, string content)
    {
        var sent = Object(kind, content);

        await cluster.CreateAsync(sent);

        var stored = await cluster.GetAsync("danm.io/v1", kind, sent.At("metadata", "name").String()!);
        stored.Should().NotBeNull();
        stored!.Remove("metadata");
        sent.Remove("metadata");
        JsonNode.DeepEquals(stored, sent).Should().BeTrue($"{kind} {stored.ToJsonString()} should be what was sent, {sent.ToJsonString()}");
    }

    private async Task RefusesAsync(string kind, string content, string names)
    {
        var sent = Object(kind, content);
        var create = () => cluster.CreateAsync(sent);

        (await create.Should().ThrowAsync<HttpRequestException>(kind))
            .Where(e => e.Message.Contains(names), $"{kind} should name {names}").Which.StatusCode.Should().Be(HttpStatusCode.UnprocessableEntity);
        (await cluster.GetAsync("danm.io/v1", kind, sent.At("metadata", "name").String()!)).Should().BeNull();
    }

    private static JsonObject Object(string kind, string content)
    {
        var body = (JsonObject)JsonNode.Parse(content)!;
        body["apiVersion"] = "danm.io/v1";
        body["kind"] = kind;
        body["metadata"] = new JsonObject { ["name"] = $"x{Interlocked.Increment(ref s_count)}" };
        return body;
    }
}
