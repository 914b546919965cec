using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary><c>danm plan</c> as an operator types it.</summary>
public sealed class PlanTests : HostFixture
{
    private const string Network = """
        {"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","vlan":500,"cidr":"10.1.0.0/24","net6":"fd01::/64","rt_tables":100,
         "allocation_pool":{"start":"10.1.0.10","end":"10.1.0.20"},"routes":{"10.99.0.0/16":"10.1.0.254"}}}
        """;

    private const string Interfaces = """[{"network":"mv","ip":"dynamic","proutes":{"10.98.0.0/16":"10.1.0.1"}},{"clusterNetwork":"ext","ip":"10.2.0.5"}]""";

    [SetUp]
    public void Networks()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", Network));
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "ext", """{"NetworkID":"ext","NetworkType":"ipvlan","Options":{"host_device":"parent0","cidr":"10.2.0.0/24","container_prefix":"ext"}}"""));
        Node.Server.Requests.Clear();
    }

    [Test]
    public async Task A_Pod_of_the_cluster_is_a_table_and_nothing_changes()
    {
        Node.Server.Store.Create(Objects.Pod("a", Interfaces));

        var text = await PlanAsync("a");

        var lines = text.Split('\n');
        lines[0].Should().MatchRegex("^INTERFACE +NETWORK +TYPE +PARENT +IPV4 +IPV6 +MTU$");
        lines[1].Should().MatchRegex(@"^eth0 +DanmNet/default/mv +macvlan +mv\.500 +one of 10\.1\.0\.10 ?(-|to) ?10\.1\.0\.20.* +<none> +<parent's>$");
        lines[2].Should().MatchRegex(@"^ext1 +ClusterNetwork/ext +ipvlan +parent0 +10\.2\.0\.5/24 +<none> +<parent's>$");
        text.Should().Contain("eth0: route 10.99.0.0/16 via 10.1.0.254").And.Contain("eth0: route 10.98.0.0/16 via 10.1.0.1 in table 100")
            .And.Contain("\"master\":\"mv.500\"");
        Node.Server.Requests.All.Should().OnlyContain(r => r.Verb == "get" || r.Verb == "list");
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task A_Pod_in_a_file_is_JSON_or_YAML()
    {
        var file = Node.WriteFile("pod.yaml", $$$"""
            apiVersion: v1
            kind: Pod
            metadata:
              generateName: a-
              annotations:
                danm.io/interfaces: |
                  {{{Interfaces}}}
            spec:
              containers: [{name: app, image: app, resources: {limits: {cpu: 1} } }]
            """);

        var json = JsonNode.Parse(await PlanAsync($"-f {file} -o json"))!;
        json["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).Should().Equal("eth0", "ext1");
        json["interfaces"]![1]!["ipv4"]!.ToString().Should().Be("10.2.0.5/24");
        json["interfaces"]![0]!["plugins"]![0]!["type"]!.ToString().Should().Be("macvlan");
        (await PlanAsync($"-f - -o yaml <{file}")).Should().Contain("name: \"eth0\"").And.Contain("gateway: \"10.1.0.254\"");
    }

    [TestCase("missing", null, "error: Pod default/missing does not exist")]
    [TestCase("a", """[{"network":"other"}]""", "error: DanmNet/default/other of the Pod's annotation does not exist")]
    [TestCase("a", """[{"clusterNetwork":"ext","ip":"10.3.0.1"}]""", "error: address 10.3.0.1 is outside the subnet 10.2.0.0/24")]
    public async Task A_Pod_that_could_not_start_is_an_error(string pod, string? interfaces, string error)
    {
        if (interfaces is not null)
            Node.Server.Store.Create(Objects.Pod("a", interfaces));

        (await Node.ShellAsync($"{DanmBinary.Path} plan {pod} --kubeconfig {Node.Kubeconfig} 2>&1 && echo ok || echo exit $?")).Should().StartWith(error).And.EndWith("exit 1\n");
    }

    [TestCase("")]
    [TestCase("a -f x")]
    [TestCase("a -o wide")]
    public async Task A_wrong_usage_is_of_code_2(string arguments) =>
        (await Node.ShellAsync($"{DanmBinary.Path} plan {arguments} 2>&1; echo exit $?")).Should().StartWith("error: ").And.EndWith("exit 2\n");

    private Task<string> PlanAsync(string arguments) => Node.ShellAsync($"{DanmBinary.Path} plan --kubeconfig {Node.Kubeconfig} -n default {arguments}");
}
