using System.Text.Json.Nodes;
using Danm.Cli;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Cli.Svc;

/// <summary><c>danm svc inspect</c> against an API server with our CRDs.</summary>
public sealed class SvcInspectTests
{
    private EmbeddedApiServer server = null!;
    private string kubeconfig = "";

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        kubeconfig = Path.GetTempFileName();
        await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
        Service("db", """{"danm.io/selector":"{\"app\":\"db\"}","danm.io/clusterNetwork":"internal"}""");
        Add("a", "db", "internal", "10.0.0.1/24", ready: true);
        Add("b", "db", "internal", "10.0.0.2/24", ready: false);
        Add("c", "web", "internal", "10.0.0.3/24", ready: true);
        Add("d", "db", "external", "192.0.2.4/24", ready: true);
        Add("e", "web", "external", "192.0.2.5/24", ready: true);
    }

    [TearDown]
    public async Task Stop()
    {
        await server.DisposeAsync();
        File.Delete(kubeconfig);
    }

    [Test]
    public void A_Service_is_explained_interface_by_interface()
    {
        var lines = Inspect("db").Split('\n');

        lines.Should().ContainInConsecutiveOrder("Service:    default/db", "Selector:   app=db", "Networks:   ClusterNetwork/internal", "Families:   IPv4", "Ports:      sql 5432/TCP", "Slices:     0, 0 endpoints, not as they should be");
        lines[7].Should().MatchRegex("^POD +INTERFACE +ADDRESS +ENDPOINT +WHY NOT$");
        lines[8].Should().MatchRegex(@"^a +internal +10\.0\.0\.1 +ready$");
        lines[9].Should().MatchRegex(@"^b +internal +10\.0\.0\.2 +not ready$");
        lines[10].Should().MatchRegex(@"^c +internal +10\.0\.0\.3/24 +no +label 'app' is 'web', not 'db'$");
        lines[11].Should().MatchRegex(@"^d +external +192\.0\.2\.4/24 +no +on ClusterNetwork 'external'$");
        lines[12..].Should().Equal(
            "",
            "1 more interfaces of the namespace have neither the Service's labels nor its networks: --all shows them",
            "1 Pods have the labels, but no interface on these networks (d): their danm.io/interfaces annotation must name one, and they be made anew",
            "10.0.0.1 is in no EndpointSlice",
            "10.0.0.2 is in no EndpointSlice",
            "if that does not change within seconds: does svcwatcher run, and what does it log? (kubectl get lease -n kube-system danm-svcwatcher names the one that works)",
            "");
        Inspect("db", "--all", "--no-headers", "-o", "wide").Should().MatchRegex(@"(?m)^e +external +192\.0\.2\.5/24 +no +on ClusterNetwork 'external' +ClusterNetwork/external +node-1 +e-ep$").And.NotContain("POD ");
    }

    [Test]
    public void Scripts_get_a_document()
    {
        var document = JsonNode.Parse(Inspect("db", "-o", "json"))!;

        document["interfaces"]!.AsArray().Select(i => $"{i!["pod"]} {string.Join(',', i["endpoints"]!.AsArray().Select(e => e!["address"]))} {i["whyNot"]}".Trim())
            .Should().Equal("a 10.0.0.1", "b 10.0.0.2", "c  label 'app' is 'web', not 'db'", "d  on ClusterNetwork 'external'");
        document["podsWithoutInterface"]!.AsArray().Select(p => p.String()).Should().Equal("d");
        document["differences"]!.AsArray().Should().HaveCount(2);
        Inspect("db", "-o", "yaml").Should().Contain("whyNot: \"on ClusterNetwork 'external'\"");
    }

    [TestCase("""{"danm.io/selector":"{\"app\":\"db\"},{}","danm.io/network":"n"}""", "InvalidDanmAnnotation: danm.io/selector is not a JSON object such as")]
    [TestCase("{}", "the Service has none of Danm's annotations: danm.io/selector and one of")]
    [TestCase("""{"danm.io/selector":"{\"app\":\"nobody\"}","danm.io/network":"n"}""", "the Service leads nowhere")]
    public void What_is_wrong_with_a_Service_is_said(string annotations, string expected)
    {
        Service("bad", annotations);

        Inspect("bad").Should().Contain(expected);
    }

    [Test]
    public void A_Service_that_is_not_there_is_an_error()
    {
        var error = new StringWriter();

        CommandLine.Run("danm", ["svc", "inspect", "nobody", "-n", "other", "--kubeconfig", kubeconfig], TextWriter.Null, error).Should().Be(1);

        error.ToString().Should().Be("error: there is no Service nobody in namespace other: -n says another namespace\n");
    }

    private string Inspect(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        CommandLine.Run("danm", ["svc", "inspect", .. arguments, "--kubeconfig", kubeconfig], output, error).Should().Be(0, error.ToString());
        return output.ToString();
    }

    private void Service(string name, string annotations) => server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "v1", ["kind"] = "Service", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["annotations"] = JsonNode.Parse(annotations) },
        ["spec"] = JsonNode.Parse("""{"clusterIP":"None","ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4"],"ports":[{"name":"sql","port":5432}]}"""),
    });

    private void Add(string pod, string app, string network, string address, bool ready)
    {
        server.Store.Create(JsonNode.Parse($$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{pod}}}","namespace":"default","labels":{"app":"{{{app}}}"}},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i"}]}}
            """)!);
        var present = (JsonObject)server.Store.Get("v1", "Pod", "default", pod)!.DeepClone();
        present["status"] = new JsonObject { ["phase"] = "Running", ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False" }) };
        server.Store.Update(present);
        server.Store.Create(JsonNode.Parse($$$"""
            {"apiVersion":"danm.io/v1","kind":"DanmEp","metadata":{"name":"{{{pod}}}-ep","namespace":"default","labels":{"app":"{{{app}}}"}},
             "spec":{"NetworkName":"{{{network}}}","NetworkType":"ipvlan","EndpointID":"{{{pod}}}","Pod":"{{{pod}}}","PodUID":"{{{server.Store.Get("v1", "Pod", "default", pod).At("metadata", "uid").String()}}}","Host":"node-1",
              "apiType":"ClusterNetwork","Interface":{"Name":"{{{network}}}","Address":"{{{address}}}"} } }
            """)!);
    }
}
