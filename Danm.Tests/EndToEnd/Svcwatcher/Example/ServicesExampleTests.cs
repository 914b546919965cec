using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Svcwatcher.Example;

/// <summary>
/// manifests/examples/services, as it stands: its Pods get real interfaces from the published executable and Debian's plugins, and run the
/// programs that it names. A client outside reaches the load balancers, and through them the processors, by nothing but names.
/// </summary>
[TestFixture, Parallelizable]
public sealed class ServicesExampleTests
{
    private readonly List<ExamplePod> pods = [];
    private ExampleCluster cluster = null!;

    private static IReadOnlyList<JsonObject> Example { get; } = [.. Manifests.Read(Path.Combine(DanmBinary.Repository, "manifests", "examples", "services"))];

    private ExamplePod Client => pods.Single(p => p.App == "client");

    [OneTimeSetUp]
    public async Task Start()
    {
        if (!File.Exists("/usr/sbin/haproxy"))
            DanmBinary.Lacks("haproxy is missing: ./build.sh installs it");
        cluster = await ExampleCluster.StartAsync();
        foreach (var made in Example.Where(o => o["kind"].String() != "Pod"))
            await cluster.ApplyAsync(made);
        var described = Example.Where(o => o["kind"].String() == "Deployment")
            .SelectMany(d => Enumerable.Range(0, (int)d.At("spec", "replicas")!.GetValue<long>()).Select(i => PodOf(d, i)))
            .Concat(Example.Where(o => o["kind"].String() == "Pod").Select(o => (JsonObject)o.DeepClone()));
        pods.AddRange(await Task.WhenAll(described.Select(p => ExamplePod.StartAsync(cluster, p))));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (cluster is null)
            return;
        var refused = cluster.Node.Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().ToList();
        await cluster.DisposeAsync();
        refused.Should().BeEmpty();
    }

    [Test]
    [Order(1)]
    public async Task Each_Service_lists_the_addresses_that_its_Pods_have_on_its_network()
    {
        await ListsAsync("processors", "processor", "int1");
        await ListsAsync("front", "loadbalancer", "ext1");
        await ListsAsync("front-stats", "loadbalancer", "eth0");
        (await Client.InterfacesAsync()).Should().Equal("eth0");
        foreach (var balancer in Of("loadbalancer"))
            (await balancer.InterfacesAsync()).Should().BeEquivalentTo("eth0", "ext1", "int2");
    }

    [Test]
    [Order(2)]
    public async Task The_client_finds_the_load_balancers_by_name_and_gets_what_processors_answered_them()
    {
        var found = (await ClientAsync("getent ahosts front | grep STREAM")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]).ToList();
        var external = new List<string>();
        var within = new List<string>();
        foreach (var balancer in Of("loadbalancer"))
        {
            external.AddRange(await balancer.AddressesAsync("ext1"));
            within.Add(await balancer.AddressAsync("int2"));
        }

        found.Should().HaveCount(4, "two load balancers have an address of each family").And.BeEquivalentTo(external);
        foreach (var address in found)
            (await ClientAsync($"curl -sS -m 5 http://{(address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address)}:8080/")).Should().MatchRegex("^processor-[0-2] worked for 10\\.71\\.0\\.[0-9]+\n$");
        var answers = await AskAsync();
        answers.Select(a => a.Processor).Distinct().Should().BeEquivalentTo("processor-0", "processor-1", "processor-2");
        answers.Should().OnlyContain(a => within.Contains(a.Asker), "the load balancer asks from its address on the internal network");
    }

    [Test]
    [Order(3)]
    public async Task The_client_knows_the_processors_by_name_and_reaches_none()
    {
        var addresses = new List<string>();
        foreach (var processor in Of("processor"))
            addresses.Add(await processor.AddressAsync("int1"));
        (await ClientAsync("getent ahostsv4 processors | grep STREAM")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]).Should().BeEquivalentTo(addresses);
        (await Of("loadbalancer")[0].ExecAsync("curl -sS -m 5 http://processors:9000/")).Text.Should().StartWith("processor-", "who is on the internal network does");

        (await Client.ExecAsync("curl -sS -m 3 http://processors:9000/")).Code.Should().Be(7, "there is no way to connect");
        // Not even with an address of the internal network, to which processors would answer: theirs is another wire.
        await ClientAsync("ip address add 10.71.0.254/24 dev eth0");
        foreach (var address in addresses)
            (await Client.ExecAsync($"curl -sS -m 4 http://{address}:9000/")).Code.Should().BeOneOf([7, 28], "nobody answers there");
        await ClientAsync("ip address delete 10.71.0.254/24 dev eth0");
    }

    [TestCase("services-client", """[{"network":"internal","ip":"dynamic"}]""", 102)]
    [TestCase("default", """[{"clusterNetwork":"services-external","ip":"dynamic"}]""", 103)]
    [Order(4)]
    public async Task Who_is_not_of_a_networks_tenants_gets_no_interface_on_it(string ns, string interfaces, int code)
    {
        var sandbox = await cluster.Node.StartPodAsync(Objects.Pod("stranger", interfaces, ns));

        (await cluster.CallAsync(sandbox, "ADD")).Failed(code);

        cluster.Node.Server.Store.Delete("v1", "Pod", ns, "stranger");
    }

    [Test]
    [Order(5)]
    public async Task Load_balancers_follow_processors_that_fail_go_and_come()
    {
        var processors = Of("processor");
        processors[0].Say(ready: false);
        await AnsweredByAsync("processor-1", "processor-2");

        await processors[1].StopAsync();
        pods.Remove(processors[1]);
        await AnsweredByAsync("processor-2");

        pods.Add(await ExamplePod.StartAsync(cluster, PodOf(Example.Single(o => o["kind"].String() == "Deployment" && o.At("metadata", "name").String() == "processor"), 3)));
        processors[0].Say(ready: true);
        await AnsweredByAsync("processor-0", "processor-2", "processor-3");
        await ListsAsync("processors", "processor", "int1");
    }

    private async Task<string> ClientAsync(string command)
    {
        var (code, text) = await Client.ExecAsync(command);
        code.Should().Be(0, "{0}: {1}", command, text);
        return text;
    }

    /// <summary>Asks often enough for every processor to have its turn; an answer that is none, such as 503, is one of no processor's.</summary>
    private async Task<IReadOnlyList<(string Processor, string Asker)>> AskAsync() =>
        [.. (await ClientAsync("for i in $(seq 12); do curl -sS -m 5 http://front:8080/; done")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.Split(" worked for ")).Select(p => (p[0], p.ElementAtOrDefault(1) ?? ""))];

    private Task AnsweredByAsync(params string[] expected) =>
        Netwatcher.Eventually.HoldsAsync(async () => (await AskAsync()).Select(a => a.Processor).Distinct().Should().BeEquivalentTo(expected), seconds: 20);

    private ExamplePod[] Of(string app) => [.. pods.Where(p => p.App == app)];

    private async Task ListsAsync(string service, string app, string interfaceName)
    {
        var expected = new List<string>();
        foreach (var pod in Of(app))
            expected.AddRange((await pod.AddressesAsync(interfaceName)).Select(a => $"{a} {pod.Name}"));
        expected.Should().NotBeEmpty();
        await Netwatcher.Eventually.HoldsAsync(() => Listed(service).Should().BeEquivalentTo(expected));
    }

    /// <summary>The ready endpoints of a Service: address and Pod.</summary>
    private IEnumerable<string> Listed(string service) => cluster.Node.Server.Store.List("discovery.k8s.io/v1", "EndpointSlice")
        .Where(s => s.At("metadata", "labels", "kubernetes.io/service-name").String() == service)
        .SelectMany(s => s.At("endpoints") as JsonArray ?? [])
        .Where(e => e.At("conditions", "ready")!.GetValue<bool>())
        .Select(e => $"{e.At("addresses")![0]} {e.At("targetRef", "name")}");

    /// <summary>A replica of a Deployment, as its controller makes one.</summary>
    private static JsonObject PodOf(JsonObject deployment, int index)
    {
        var pod = (JsonObject)deployment.At("spec", "template")!.DeepClone();
        (pod["apiVersion"], pod["kind"]) = ("v1", "Pod");
        (pod["metadata"]!["name"], pod["metadata"]!["namespace"]) = ($"{deployment.At("metadata", "name")}-{index}", deployment.At("metadata", "namespace").String());
        return pod;
    }
}
