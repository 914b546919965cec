using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>Delegates that speak different versions of the specification, merged into one result of whatever version the runtime asks for.</summary>
[TestFixture]
public sealed class DelegateVersionTests : ScriptedDelegateFixture
{
    /// <summary>Plugin, and its answer about interface IF in sandbox NS.</summary>
    private static readonly (string Name, string Version, string Answer)[] Delegates =
    [
        ("v020", "0.2.0", """{"cniVersion":"0.2.0","ip4":{"ip":"10.20.0.5/24","gateway":"10.20.0.1","routes":[{"dst":"10.120.0.0/16","gw":"10.20.0.1"}]}}"""),
        ("v031", "0.3.1", """{"cniVersion":"0.3.1","interfaces":[{"name":"veth31"},{"name":"IF","sandbox":"NS"}],"ips":[{"version":"4","interface":1,"address":"10.31.0.5/24"}]}"""),
        ("v100", "1.0.0", """{"cniVersion":"1.0.0","interfaces":[{"name":"IF","sandbox":"NS","mac":"02:00:00:00:01:00"},{"name":"veth100"}],"ips":[{"interface":0,"address":"10.100.0.5/24","gateway":"10.100.0.1"}]}"""),
        ("v110", "1.1.0", """{"cniVersion":"1.1.0","interfaces":[{"name":"br110","mtu":9000},{"name":"veth110"},{"name":"IF","sandbox":"NS","mtu":1400,"pciID":"0000:00:1f.6"}],"ips":[{"interface":2,"address":"10.110.0.5/24"},{"address":"10.110.0.6/24"}],"routes":[{"dst":"10.210.0.0/16","table":110,"priority":7}]}"""),
    ];

    [TestCase("0.3.0")]
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    [TestCase("1.1.0")]
    public async Task Lists_name_for_each_address_the_interface_that_has_it(string version)
    {
        var pod = await FourAsync();

        var result = (await Node.CallAsync(Call(pod, "ADD", version))).Succeeded().Json;

        result["cniVersion"]!.ToString().Should().Be(version);
        var interfaces = result["interfaces"]!.AsArray();
        interfaces.Select(i => (string)i!["name"]!).Should().Equal("eth0", "veth31", "eth1", "eth2", "veth100", "br110", "veth110", "eth3");
        interfaces.Where(i => i!["sandbox"] is not null).Select(i => (string)i!["name"]!).Should().Equal("eth0", "eth1", "eth2", "eth3");
        interfaces.Single(i => (string)i!["name"]! == "eth2")!["mac"]!.ToString().Should().Be("02:00:00:00:01:00");
        var ips = result["ips"]!.AsArray();
        ips.Select(i => ((string)i!["address"]!, (string)interfaces[(int)i["interface"]!]!["name"]!)).Should().Equal(
            ("10.20.0.5/24", "eth0"), ("10.31.0.5/24", "eth1"), ("10.100.0.5/24", "eth2"), ("10.110.0.5/24", "eth3"), ("10.110.0.6/24", "eth3"));
        ips.Select(i => (string?)i!["gateway"]).Should().Equal("10.20.0.1", null, "10.100.0.1", null, null);
        ips.Select(i => (string?)i!["version"]).Should().AllBe(version.StartsWith('0') ? "4" : null);
        var rich = version == "1.1.0";
        result["routes"]!.AsArray().Select(r => $"{r!["dst"]} {r["table"]} {r["priority"]}").Should().Equal(
            rich ? ["10.120.0.0/16  ", "10.210.0.0/16 110 7"] : ["10.120.0.0/16  "], "a route of another table would read as one of main");
        ((int?)interfaces[7]!["mtu"], (string?)interfaces[7]!["pciID"]).Should().Be(rich ? (1400, "0000:00:1f.6") : (null, null));
        await RemoveAsync(pod);
    }

    [TestCase("0.1.0")]
    [TestCase("0.2.0")]
    public async Task Versions_without_lists_get_the_first_interfaces_address(string version)
    {
        var pod = await FourAsync();

        var result = (await Node.CallAsync(Call(pod, "ADD", version))).Succeeded().Json;

        JsonNode.DeepEquals(result, JsonNode.Parse($$$"""
            {"cniVersion":"{{{version}}}","ip4":{"ip":"10.20.0.5/24","gateway":"10.20.0.1","routes":[{"dst":"10.120.0.0/16","gw":"10.20.0.1"}]}}
            """)).Should().BeTrue("{0}", result.ToJsonString());
        await RemoveAsync(pod);
    }

    private async Task<Sandbox> FourAsync()
    {
        foreach (var (name, version, answer) in Delegates)
        {
            await DelegateAsync(name, $$$"""
                ip -n "${CNI_NETNS##*/}" link add "$CNI_IFNAME" type bridge || return
                answer='{{{answer}}}'
                answer=${answer//NS/$CNI_NETNS}
                printf %s "${answer//IF/$CNI_IFNAME}"
                """);
            await FileAsync($"{name}.conf", $$"""{"cniVersion":"{{version}}","name":"{{name}}","type":"{{name}}"}""");
        }

        return await PodAsync("""[{"network":"v020"},{"network":"v031"},{"network":"v100"},{"network":"v110"}]""");
    }

    /// <summary>DEL, which gives each plugin its own answer back, in its own version, where the version has that.</summary>
    private async Task RemoveAsync(Sandbox pod)
    {
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["Interface"]!["Address"]!).Should().BeEquivalentTo("10.20.0.5/24", "10.31.0.5/24", "10.100.0.5/24", "10.110.0.5/24");
        (await DelAsync(pod)).Succeeded();
        foreach (var (name, version, _) in Delegates)
        {
            var config = await ConfigOfAsync("DEL", name);
            config["cniVersion"]!.ToString().Should().Be(version);
            ((string?)config["prevResult"]?["cniVersion"]).Should().Be(version.StartsWith('0') ? null : version);
        }

        await ExpectNothingLeftAsync(pod);
    }
}
