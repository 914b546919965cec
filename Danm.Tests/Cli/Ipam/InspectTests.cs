using System.Text.Json.Nodes;
using Danm.Cli;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Cli.Ipam;

/// <summary><c>danm ipam inspect</c> against an API server with our CRDs.</summary>
public sealed class InspectTests
{
    private EmbeddedApiServer server = null!;
    private string kubeconfig = "";

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        kubeconfig = Path.GetTempFileName();
        await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
        server.Store.Create(Objects.Network("ClusterNetwork", "ext", """
            {"NetworkID":"ext","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","net6":"fd00::/64","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.10"},"routes":{"10.9.0.0/16":"10.0.0.10"}}}
            """));
        // The same wire, another range.
        server.Store.Create(Objects.Network("DanmNet", "more", """
            {"NetworkID":"more","Options":{"host_device":"ens4","vlan":500,"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.5","end":"10.0.0.20"}}}
            """));
    }

    [TearDown]
    public async Task Stop()
    {
        await server.DisposeAsync();
        File.Delete(kubeconfig);
    }

    [Test]
    public void All_networks_are_a_table_with_counts()
    {
        var pod = Pod("a");
        Allocate("10.0.0.1", "ClusterNetwork.ext", pod);
        Allocate("10.0.0.6", "ClusterNetwork.ext", pod);
        Allocate("10.0.0.7", "DanmNet.default.more", pod);
        Allocate("10.0.0.200", "ClusterNetwork.ext", pod);
        Allocate("10.0.0.15", "DanmNet.default.more", Guid.NewGuid().ToString());

        var lines = Inspect().Split('\n');

        lines[0].Should().MatchRegex("^NETWORK +USE +USED +FREE +SIZE +RESERVED +OUTSIDE +LEAKED +POOL$");
        lines[1].Should().MatchRegex(@"^ClusterNetwork/ext +33% +3 +6 +10 +1 +1 +0 +10\.0\.0\.1-10\.0\.0\.10$");
        lines[2].Should().MatchRegex(@"^ClusterNetwork/ext +0% +0 +2\^64 +2\^64 +0 +0 +0 +fd00::1-fd00::ffff:ffff:ffff:fffe$");
        lines[3].Should().MatchRegex(@"^DanmNet/default/more +18% +3 +13 +16 +0 +0 +1 +10\.0\.0\.5-10\.0\.0\.20$");
        lines.Should().Contain(l => l.StartsWith("1 IPv4 addresses of DanmNet/default/more belong to Pods that are gone (node-1)"))
            .And.Contain(l => l.StartsWith("1 IPv4 addresses of ClusterNetwork/ext are outside its pool"));
        Inspect("-n", "other").Should().Contain("ext").And.NotContain("more");
        Inspect("--no-headers").Should().StartWith("ClusterNetwork/ext");
    }

    [Test]
    public void One_network_has_a_map()
    {
        var pod = Pod("a");
        foreach (var last in (int[])[1, 2, 6])
            Allocate($"10.0.0.{last}", "ClusterNetwork.ext", pod);

        var text = Inspect("clusternetwork/ext");

        text.Should().Contain("IPv4 10.0.0.1-10.0.0.10, 33 % used:").And.MatchRegex(@"10\.0\.0\.1  (██···█···r|##\.\.\.#\.\.\.r)");
        text.Should().Contain("IPv6 fd00::1").And.Contain("each character 2^56 addresses");
        server.Requests.All.Where(r => r.Resource == "ipallocations").Should().OnlyContain(r => (r.Path + r.Query).Contains("labelSelector", StringComparison.Ordinal), "only its wire is read");
    }

    [Test]
    public void Owners_are_listed_with_what_became_of_them()
    {
        Allocate("10.0.0.3", "ClusterNetwork.ext", Pod("amf-0"), "amf-0");
        Allocate("10.0.0.4", "ClusterNetwork.ext", Guid.NewGuid().ToString(), "gone");
        Allocate("10.0.0.99", "ClusterNetwork.ext", Pod("out"), "out");

        var text = Inspect("cnet/ext", "--owners");

        text.Should().MatchRegex(@"ADDRESS +OWNER +INTERFACE +NODE +AGE +STATE\n").And.MatchRegex(@"10\.0\.0\.3/24 +default/amf-0 +eth0 +node-1 +\d+s +used\n")
            .And.MatchRegex(@"10\.0\.0\.4/24 +default/gone +eth0 +node-1 +\d+s +pod gone\n").And.MatchRegex(@"10\.0\.0\.99/24 +default/out +eth0 +node-1 +\d+s +outside pool\n");
        Inspect("cnet/ext", "--owners", "-o", "json").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (string)JsonNode.Parse(l)!["state"]!)
            .Should().BeEquivalentTo("used", "pod gone", "outside pool");
        Inspect("cnet/ext", "--owners", "-o", "name").Should().Contain("ipallocation.danm.io/10-0-0-3.vlan500.ens4\n");
    }

    [Test]
    public void Programs_get_JSON_and_YAML()
    {
        Allocate("10.0.0.3", "ClusterNetwork.ext", Pod("a"));

        var pools = JsonNode.Parse(Inspect("cn/ext", "-o", "json"))!["pools"]!.AsArray();
        pools.Should().HaveCount(2);
        ((int)pools[0]!["used"]!, (string)pools[0]!["free"]!, (string)pools[1]!["size"]!).Should().Be((1, "8", "18446744073709551614"));
        Inspect("cn/ext", "-o", "yaml").Should().Contain("name: \"ext\"");
        Inspect("-o", "name").Should().Be("clusternetwork.danm.io/ext\ndanmnet.danm.io/more\n");
    }

    [Test]
    public void A_full_pool_says_what_to_do()
    {
        var pod = Pod("a");
        for (var i = 1; i < 10; i++)
            Allocate($"10.0.0.{i}", "ClusterNetwork.ext", pod);

        Inspect("cn/ext").Should().Contain("ClusterNetwork/ext has no free IPv4 address: widen its pool 10.0.0.1-10.0.0.10");
    }

    [Test]
    public void What_is_read_comes_in_pages_and_a_Pod_that_is_born_meanwhile_is_not_leaked()
    {
        var pod = Pod("a");
        server.Store.Create(Objects.Network("ClusterNetwork", "big", """{"NetworkID":"big","Options":{"host_device":"ens5","cidr":"10.0.0.0/8"}}"""));
        server.Store.Load("danm.io/v1", "IPAllocation", Enumerable.Range(0, 2499).Select(i => Allocation($"10.1.{i / 250}.{(i % 250) + 1}", "untagged.ens5", "ClusterNetwork.big", pod, "a")));
        var born = false;
        server.Faults.Add(new(r =>
        {
            // After the Pods have been listed, before the addresses are.
            if (!born && r.Resource == "ipallocations")
            {
                born = true;
                server.Store.Create(Allocation("10.2.0.1", "untagged.ens5", "ClusterNetwork.big", Pod("late"), "late"));
            }

            return false;
        }));

        Inspect("cn/big", "--no-headers").Should().MatchRegex(@"^ClusterNetwork/big +<1% +2500 +16774714 +16777214 +0 +0 +0 +10\.0\.0\.1-10\.255\.255\.254\n").And.Contain("each character 65,536 addresses");
        server.Requests.Count("list", "ipallocations").Should().Be(5);
    }

    [TestCase(2, "'x' is no network", "x")]
    [TestCase(2, "'pod/x' is no network", "pod/x")]
    [TestCase(1, "there is no ClusterNetwork/none", "cn/none")]
    [TestCase(1, "say which namespace with -n", "dnet/none")]
    [TestCase(2, "xml", "-o", "xml")]
    public void What_is_wrong_is_said(int exitCode, string message, params string[] args)
    {
        var (code, _, error) = Run(args);

        code.Should().Be(exitCode);
        error.Should().StartWith("error: ").And.Contain(message);
    }

    [Test]
    public void Foreign_text_does_not_steer_the_terminal()
    {
        Allocate("10.0.0.3", "ClusterNetwork.ext", Pod("a"), "a\u001b[2J");

        Inspect("cn/ext", "--owners").Should().NotContain("\u001b").And.Contain("a\\u001b[2J");
    }

    private string Pod(string name) => (string)server.Store.Create(Objects.Pod(name, null))["metadata"]!["uid"]!;

    private void Allocate(string address, string network, string podUid, string pod = "a") =>
        server.Store.Create(Allocation(address, "vlan500.ens4", network, podUid, pod));

    private static JsonObject Allocation(string address, string wire, string network, string podUid, string pod) => new()
    {
        ["apiVersion"] = "danm.io/v1",
        ["kind"] = "IPAllocation",
        ["metadata"] = new JsonObject
        {
            ["name"] = $"{address.Replace('.', '-')}.{wire}",
            ["labels"] = new JsonObject { ["danm.io/segment"] = wire, ["danm.io/network"] = network, ["danm.io/pod-uid"] = podUid, ["danm.io/node"] = "node-1" },
        },
        ["spec"] = new JsonObject
        {
            ["network"] = new JsonObject { ["kind"] = "ClusterNetwork", ["name"] = "ext" },
            ["address"] = $"{address}/24",
            ["owner"] = new JsonObject { ["namespace"] = "default", ["pod"] = pod, ["podUID"] = podUid, ["containerID"] = "c", ["interface"] = "eth0", ["danmEp"] = "e" },
            ["nodeName"] = "node-1",
        },
    };

    private string Inspect(params string[] args)
    {
        var (code, output, error) = Run(args);
        code.Should().Be(0, error);
        return output;
    }

    private (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = CommandLine.Run("danm", ["ipam", "inspect", "--kubeconfig", kubeconfig, .. args], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
