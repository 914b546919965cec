using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary>fakeipam as Multus has it called: one call for each interface of a Pod, which CNI_ARGS name.</summary>
public sealed class MultusTests : NetworkIpamFixture
{
    [Test]
    public async Task Two_interfaces_of_a_Pod_come_and_go_one_by_one()
    {
        Network(""" "cidr":"10.9.0.0/24","net6":"fd09::/64" """);
        var pod = await Node.StartPodAsync(Objects.Pod("amf-0", null));
        var (net1, net2) = (Multus("net1"), Multus("net2"));

        var first = AddressesOf(await net1.AddAsync(pod));
        var second = AddressesOf(await net2.AddAsync(pod));

        first.Concat(second).Should().OnlyHaveUniqueItems().And.HaveCount(4);
        foreach (var allocation in Node.Objects("IPAllocation"))
        {
            var owner = allocation["spec"]!["owner"]!;
            ((string?)owner["namespace"]).Should().Be("default");
            ((string?)owner["pod"]).Should().Be("amf-0");
            ((string?)owner["podUID"]).Should().Be(pod.Uid);
            ((string?)allocation["spec"]!["nodeName"]).Should().Be("node-1", "the Pod says so");
            ((string?)allocation["metadata"]!["labels"]!["danm.io/pod-uid"]).Should().Be(pod.Uid);
        }

        (await net1.DelAsync(pod)).Succeeded();

        Node.Objects("IPAllocation").Select(o => (string)o["spec"]!["address"]!).Should().BeEquivalentTo(second);
        (await pod.RunAsync("ip -o address show dev net2")).Should().Contain($" {second[0]} ").And.Contain($" {second[1]} ");
        (await net2.CheckAsync(pod)).Succeeded();
        (await net2.DelAsync(pod)).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task A_network_without_a_namespace_is_the_Pods([Values("DanmNet", "TenantNetwork")] string kind)
    {
        Network(""" "cidr":"10.9.0.0/24" """, "own", kind);
        var pod = await Node.StartPodAsync(Objects.Pod("a", null));

        AddressesOf(await Multus("net1", $"{kind}/own").AddAsync(pod)).Should().ContainSingle();
        AddressesOf(await Multus("net2", $"{kind}/default/own").AddAsync(pod)).Should().ContainSingle();

        Node.Objects("IPAllocation").Should().OnlyContain(o => (string)o["spec"]!["network"]!["namespace"]! == "default");
    }

    [TestCase("TenantNetwork/other/own", "is not for Pods of namespace default")]
    [TestCase("DanmNet/other/own", "is not for Pods of namespace default")]
    [TestCase("ClusterNetwork/closed", "AllowedTenants")]
    public async Task A_network_that_does_not_allow_the_Pod_gives_it_nothing(string network, string says)
    {
        if (Node.Server.Store.List("v1", "Namespace").All(n => (string?)n["metadata"]!["name"] != "other"))
            Node.Server.Store.Create(JsonNode.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other"}}""")!);
        foreach (var kind in (string[])["TenantNetwork", "DanmNet"])
            Network(""" "cidr":"10.9.0.0/24" """, "own", kind, ns: "other");
        Network(""" "cidr":"10.9.0.0/24" """, "closed", tenants: """["other"]""");
        var pod = await Node.StartPodAsync(Objects.Pod("a", null));

        (await Multus("net1", network).AddAsync(pod)).Failed(103).Msg.Should().Contain(network).And.Contain(says);

        await ExpectNothingLeftAsync();
        // Without a Pod, the configuration is the administrator's word.
        AddressesOf(await FakeIpamAsync(Call("ADD", await ContainerAsync(), List(network)))).Should().ContainSingle();
    }

    [Test]
    public async Task A_static_address_comes_back_after_a_reboot_and_not_before()
    {
        Network(""" "cidr":"10.9.0.0/24" """);
        var asked = (JsonObject)JsonNode.Parse("""{"ips":["10.9.0.77"]}""")!;
        var pod = await Node.StartPodAsync(Objects.Pod("a", null));
        AddressesOf(await Multus("net1").AddAsync(pod, asked)).Should().Equal("10.9.0.77/24");
        var again = await pod.AgainAsync();

        (await Multus("net1").AddAsync(again, asked)).Failed(105).Msg.Should().Contain("10.9.0.77").And.Contain("Pod default/a");
        (await Multus("net1").DelAsync(again)).Succeeded("a runtime deletes what it could not add");
        ((string?)OwnerOf("10-9-0-77.untagged.parent0")["containerID"]).Should().Be(pod.ContainerId);

        await pod.DeleteNamespaceAsync();
        AddressesOf(await Multus("net1").AddAsync(again, asked)).Should().Equal("10.9.0.77/24");
        (await Multus("net1").DelAsync(pod)).Succeeded("the runtime cleans up late");
        ((string?)OwnerOf("10-9-0-77.untagged.parent0")["containerID"]).Should().Be(again.ContainerId);
        (await Multus("net1").DelAsync(again)).Succeeded();
        await ExpectNothingLeftAsync();
    }

    // The same container, the same interface's name, one node's state.
    [Test]
    public async Task danm_and_fakeipam_leave_each_other_what_they_have()
    {
        Network(""" "cidr":"10.9.0.0/24" """);
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.8.0.0/24"}}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"mv","ip":"dynamic"}]"""));
        (await pod.AddAsync()).Succeeded();
        (await Multus("net1", version: "1.0.0").AddAsync(pod)).Succeeded();
        Addresses().Should().HaveCount(2);

        var gc = new CniCall("GC") { IfName = null, Config = Node.Config("1.1.0") };
        gc.Config["name"] = "plain";
        gc.Config["cni.dev/valid-attachments"] = new JsonArray();
        (await Node.CallAsync(gc)).Succeeded("danm has nothing under fakeipam's name");
        var list = List(version: "1.1.0", name: "danm_meta_cni");
        var ipamGc = Call("GC", pod, list) with { IfName = null, ContainerId = "", Netns = null };
        ipamGc.Config["cni.dev/valid-attachments"] = new JsonArray();
        (await FakeIpamAsync(ipamGc)).Succeeded("fakeipam has nothing under danm's name");
        Addresses().Should().HaveCount(2);

        (await pod.CheckAsync()).Succeeded();
        (await pod.DelAsync()).Succeeded();
        Addresses().Should().ContainSingle().Which.Should().StartWith("10.9.0.");

        (await pod.AddAsync()).Succeeded();
        (await Multus("net1").DelAsync(pod)).Succeeded();
        Addresses().Should().ContainSingle().Which.Should().StartWith("10.8.0.");
        (await pod.CheckAsync()).Succeeded();
        (await pod.DelAsync()).Succeeded();
        await ExpectNothingLeftAsync();

        IReadOnlyList<string> Addresses() => [.. Node.Objects("IPAllocation").Select(o => (string)o["spec"]!["address"]!)];
    }

    // A macvlan whose IPAM section is the file's own, called by danm itself.
    [Test]
    public async Task A_file_of_a_static_network_may_name_it_too()
    {
        Network(""" "cidr":"10.9.0.0/24" """);
        await Node.ShellAsync($$"""
            mkdir -p /run/cni && cat >/run/cni/file.conf <<'FILE'
            {"cniVersion":"1.0.0","name":"file","type":"bridge","bridge":"br9","ipam":{"type":"fakeipam","network":"ClusterNetwork/radio","kubeconfig":"{{Node.Kubeconfig}}"} }
            FILE
            """);
        Node.Server.Store.Create(Objects.Network("DanmNet", "file", """{"NetworkID":"file","NetworkType":"bridge"}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"file"},{"network":"file"}]"""));
        CniCall Danm(string command)
        {
            var call = pod.Call(command);
            call.Config["cniDir"] = "/run/cni";
            return call;
        }

        AddressesOf(await Node.CallAsync(Danm("ADD"))).Should().HaveCount(2).And.OnlyContain(a => a.StartsWith("10.9.0."));
        Node.Objects("IPAllocation").Should().HaveCount(2);
        Node.Objects("DanmEp").Should().HaveCount(2);
        (await Node.CallAsync(Danm("CHECK"))).Succeeded();

        (await Node.CallAsync(Danm("DEL"))).Succeeded();
        await ExpectNothingLeftAsync();
    }

    private LibcniDriver Multus(string ifName, string network = "ClusterNetwork/radio", string version = "1.0.0") =>
        new(Node, List(network, version)) { IfName = ifName };
}
