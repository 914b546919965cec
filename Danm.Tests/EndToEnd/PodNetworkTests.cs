using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>Which networks a Pod gets, under which names, and how the result tells it.</summary>
[TestFixture, Parallelizable]
public sealed class PodNetworkTests : GuestFixture
{
    [OneTimeSetUp]
    public void MakeNetworks()
    {
        Network("DanmNet", "named", """{"cidr":"10.71.0.0/24","container_prefix":"ext"}""");
        Network("DanmNet", "plain", """{"cidr":"10.72.0.0/24","net6":"fd00:72::/64","rt_tables":72,"routes":{"0.0.0.0/0":"10.72.0.254"},"routes6":{"fd00:50::/64":"fd00:72::fe"}}""");
        Network("TenantNetwork", "tenant", """{"cidr":"10.73.0.0/24"}""");
    }

    [Test]
    public async Task Default_is_the_DanmNet_then_the_TenantNetwork_then_the_ClusterNetwork()
    {
        Network("ClusterNetwork", "default", """{"cidr":"10.80.0.0/24","net6":"fd00:80::/64"}""", more: """ "AllowedTenants":["default"], """);
        await ExpectAsync("by-cluster", "10.80.0.", "fd00:80::");
        Network("TenantNetwork", "default", """{"cidr":"10.81.0.0/24"}""");
        await ExpectAsync("by-tenant", "10.81.0.");
        Network("DanmNet", "default", """{"net6":"fd00:82::/64"}""");
        await ExpectAsync("by-danmnet", "fd00:82::");

        var stranger = await PodAsync("stranger", null, "kube-system");
        (await stranger.AddAsync()).Failed(103).Msg.Should().Contain("ClusterNetwork/default").And.Contain("kube-system");
        (await stranger.DelAsync()).Succeeded();

        async Task ExpectAsync(string name, params string[] addresses)
        {
            var pod = await PodAsync(name, name == "by-tenant" ? "[]" : null);
            var json = (await pod.AddAsync()).Succeeded().Json;
            json["interfaces"]!.AsArray().Should().ContainSingle().Which!["name"]!.ToString().Should().Be("eth0");
            var ips = json["ips"]!.AsArray().Select(ip => (string)ip!["address"]!).ToList();
            ips.Should().HaveCount(addresses.Length);
            foreach (var address in addresses)
                ips.Should().Contain(ip => ip.StartsWith(address, StringComparison.Ordinal));
            (await pod.DelAsync()).Succeeded();
        }
    }

    [Test]
    public async Task Names_follow_position_and_prefix_and_the_old_annotation_counts()
    {
        const string Interfaces = """[{"network":"plain","ip":"dynamic"},{"tenantNetwork":"tenant","ip":"dynamic"},{"network":"named","ip":"none"},{"network":"named"}]""";
        var pod = await Node.StartPodAsync(Objects.Pod("names", Interfaces, key: "danm.k8s.io/interfaces", labels: new JsonObject { ["app"] = "x", ["danm.io/node"] = "forged" }));
        var add = (await Node.CallAsync(pod.Call("ADD") with { IfName = "cni0" })).Succeeded().Json;
        add["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).Should().Equal("cni0", "eth1", "ext2", "ext3");
        add["ips"]!.AsArray().Select(i => (int)i!["interface"]!).Should().Equal(0, 1);

        var endpoints = Node.Objects("DanmEp");
        endpoints.Select(e => ((string)e["spec"]!["Interface"]!["Name"]!, (string)e["spec"]!["apiType"]!, (string)e["spec"]!["NetworkName"]!)).Should().BeEquivalentTo(
            [("cni0", "DanmNet", "plain"), ("eth1", "TenantNetwork", "tenant"), ("ext2", "DanmNet", "named"), ("ext3", "DanmNet", "named")]);
        endpoints.Should().OnlyContain(e => (string)e["metadata"]!["labels"]!["app"]! == "x" && (string)e["metadata"]!["labels"]!["danm.io/node"]! == "node-1");
        endpoints.Should().OnlyContain(e => (string)e["spec"]!["PodUID"]! == pod.Uid && (string)e["spec"]!["netns"]! == pod.Netns && (string)e["spec"]!["nodeName"]! == "node-1");
        (await Node.CallAsync(pod.Call("DEL") with { IfName = "cni0" })).Succeeded();
    }

    [Test]
    public async Task The_legacy_scheme_takes_the_prefix_alone_and_refuses_it_twice()
    {
        var config = Node.Config();
        config["namingScheme"] = "legacy";
        var pod = await PodAsync("legacy", """[{"network":"plain","ip":"dynamic"},{"network":"named","ip":"dynamic"}]""");
        var add = await Node.CallAsync(pod.Call("ADD") with { Config = config });
        add.Succeeded().Json["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).Should().Equal("eth0", "ext");
        (await pod.DelAsync()).Succeeded();

        var twice = await PodAsync("legacy-twice", """[{"network":"plain","ip":"dynamic"},{"network":"named","ip":"dynamic"},{"network":"named","ip":"dynamic"}]""");
        (await Node.CallAsync(twice.Call("ADD") with { Config = (JsonObject)config.DeepClone() })).Failed(102).Msg.Should().Contain("named").And.Contain("ext");
    }

    [Test]
    public async Task The_uid_tells_a_Pod_from_its_namesake_and_a_static_Pod_by_its_mirror()
    {
        const string Interfaces = """[{"network":"plain","ip":"dynamic"}]""";
        var pod = await PodAsync("namesake", Interfaces);
        var call = pod.Call("ADD");
        (await Node.CallAsync(call with { Args = call.Args.Replace(pod.Uid, "00000000-0000-0000-0000-000000000001") }))
            .Failed(11).Msg.Should().Contain(pod.Uid).And.Contain("00000000-0000-0000-0000-000000000001");

        var mirror = Objects.Pod("mirror", Interfaces);
        mirror["metadata"]!["annotations"]!["kubernetes.io/config.mirror"] = "0123456789abcdef0123456789abcdef";
        var fixedPod = await Node.StartPodAsync(mirror);
        var args = fixedPod.Call("ADD").Args.Replace(fixedPod.Uid, "0123456789abcdef0123456789abcdef");
        (await Node.CallAsync(fixedPod.Call("ADD") with { Args = args })).Succeeded();
        Node.Objects("DanmEp").Should().ContainSingle().Which["spec"]!["PodUID"]!.ToString().Should().Be(fixedPod.Uid);
        ((string?)(await Node.JournalsAsync()).Should().ContainSingle().Which["PodUid"]).Should().Be("0123456789abcdef0123456789abcdef");
        // Kubelet starts it anew after a reboot, under the same uid.
        await fixedPod.DeleteNamespaceAsync();
        var again = await fixedPod.AgainAsync();
        (await Node.CallAsync(again.Call("ADD") with { Args = again.Call("ADD").Args.Replace(fixedPod.Uid, "0123456789abcdef0123456789abcdef") })).Succeeded();
        Node.Objects("IPAllocation").Should().ContainSingle();
        (await Node.CallAsync(again.Call("DEL") with { Args = args })).Succeeded();
    }

    [TestCase("0.1.0")]
    [TestCase("0.2.0")]
    [TestCase("0.3.0")]
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    [TestCase("1.1.0")]
    public async Task The_result_is_of_the_version_asked_for(string version)
    {
        var pod = await PodAsync($"version-{version.Replace('.', '-')}", """
            [{"network":"plain","ip":"10.72.0.9","ip6":"fd00:72::9","proutes":{"10.60.0.0/16":"10.72.0.254"}},{"network":"named","ip":"10.71.0.9"}]
            """);
        var json = (await Node.CallAsync(pod.Call("ADD", version))).Succeeded().Json;
        ((string)json["cniVersion"]!).Should().Be(version);
        if (version is "0.1.0" or "0.2.0")
        {
            json["ip4"]!.ToJsonString().Should().Be("""{"ip":"10.72.0.9/24","gateway":"10.72.0.254","routes":[{"dst":"0.0.0.0/0","gw":"10.72.0.254"}]}""");
            json["ip6"]!.ToJsonString().Should().Be("""{"ip":"fd00:72::9/64","routes":[{"dst":"fd00:50::/64","gw":"fd00:72::fe"}]}""");
            json.ContainsKey("interfaces").Should().BeFalse();
        }
        else
        {
            var interfaces = json["interfaces"]!.AsArray();
            interfaces.Select(i => (string)i!["sandbox"]!).Should().Equal(pod.Netns, pod.Netns);
            interfaces.Select(i => (int?)i!["mtu"]).Should().AllBeEquivalentTo(version == "1.1.0" ? 1400 : (int?)null);
            var ips = json["ips"]!.AsArray();
            ips.Select(i => (string)i!["address"]!).Should().Equal("10.72.0.9/24", "fd00:72::9/64", "10.71.0.9/24");
            ips.Select(i => (int)i!["interface"]!).Should().Equal(0, 0, 1);
            ips.Select(i => (string?)i!["version"]).Should().Equal(version.StartsWith('0') ? ["4", "6", "4"] : [null, null, null]);
            var routes = json["routes"]!.AsArray().Select(r => (string)r!["dst"]!);
            routes.Should().Equal(version == "1.1.0" ? ["0.0.0.0/0", "fd00:50::/64", "10.60.0.0/16"] : ["0.0.0.0/0", "fd00:50::/64"]);
        }

        (await Node.CallAsync(pod.Call("DEL", version))).Succeeded();
    }
}
