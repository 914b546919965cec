namespace Danm.Tests.ApiServer.Tests;

/// <summary>kubectl against the embedded server.</summary>
public sealed class KubectlTests
{
    private const string Widget = """
        apiVersion: example.io/v1
        kind: Widget
        metadata: {name: a, labels: {app: x}}
        spec: {size: 3, end: 7}
        """;

    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: p, labels: {app: x}}
        spec: {containers: [{name: c, image: "i:1"}]}
        """;

    private EmbeddedApiServer server = null!;
    private Kubectl kubectl = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync();
        kubectl = await Kubectl.FindAsync(server.Kubeconfig());
        await Apply(File.ReadAllText(WireTests.Data("widgets.yaml")));
        await kubectl.OutputAsync("wait", "--for=condition=established", "--timeout=10s", "crd/widgets.example.io");
    }

    [TearDown]
    public async Task Stop()
    {
        kubectl?.Dispose();
        await server.DisposeAsync();
    }

    [Test]
    public async Task Applies_gets_describes_and_deletes()
    {
        (await Apply(Widget)).Should().Contain("widget.example.io/a created");
        (await Apply(Pod)).Should().Contain("pod/p created");
        (await kubectl.OutputAsync("get", "wd")).Should().MatchRegex(@"NAME +SIZE\na +3\n");
        (await kubectl.OutputAsync("get", "widgets", "-o", "wide", "-l", "app=x")).Should().MatchRegex(@"NAME +SIZE +COLOUR\na +3 +red\n");
        (await kubectl.OutputAsync("get", "pods")).Should().MatchRegex(@"NAME +READY +STATUS +RESTARTS +AGE\np +0/1 +Pending +0 +\d+s\n");
        (await kubectl.OutputAsync("get", "widget/a", "-o", "yaml")).Should().Contain("size: 3");
        (await kubectl.OutputAsync("describe", "widget", "a")).Should().Contain("Colour:").And.Contain("Events:");
        (await kubectl.OutputAsync("describe", "pod", "p")).Should().Contain("Image:").And.Contain("i:1");
        (await kubectl.OutputAsync("delete", "widget", "a")).Should().Contain("deleted");
        (await kubectl.OutputAsync("delete", "pod", "p")).Should().Contain("deleted");
        server.Store.Count("example.io/v1", "Widget").Should().Be(0);
        (await kubectl.RunAsync("get", "widget", "a")).Error.Should().Contain("Error from server (NotFound): widgets.example.io \"a\" not found");
    }

    [Test]
    public async Task Applies_again_as_a_patch()
    {
        kubectl.Needs(27);
        await Apply(Widget);
        await Apply(Pod);
        (await Apply(Widget)).Should().Contain("unchanged");
        (await Apply(Widget.Replace("size: 3", "size: 4"))).Should().Contain("configured");
        (await Apply(Pod.Replace("i:1", "i:2"))).Should().Contain("configured");
        (await kubectl.OutputAsync("get", "pod", "p", "-o", "jsonpath={.spec.containers[*].image}")).Should().Be("i:2");
        (await kubectl.OutputAsync("patch", "widget", "a", "--type=json", "-p", """[{"op":"replace","path":"/spec/size","value":5}]""")).Should().Contain("patched");
        server.Store.Get("example.io/v1", "Widget", "default", "a")!.At("spec", "size")!.GetValue<int>().Should().Be(5);
    }

    [Test]
    public async Task Shows_refusals_as_a_real_server_words_them()
    {
        kubectl.Needs(27);
        (await kubectl.RunAsync("apply", "-f", kubectl.Write("w.yaml", Widget.Replace("size: 3", "size: 9")))).Error.Should()
            .Contain("The Widget \"a\" is invalid: spec: Invalid value: \"object\": size must not exceed end");
        (await kubectl.RunAsync("apply", "-f", kubectl.Write("w.yaml", Widget.Replace("size: 3", "sise: 9, size: 3")))).Error.Should()
            .Contain("strict decoding error: unknown field \"spec.sise\"");
        (await kubectl.RunAsync("apply", "--server-side", "-f", kubectl.Write("w.yaml", Widget))).Error.Should().Contain("does not implement server-side apply");
    }

    [Test]
    public async Task Applies_what_a_webhook_is_deployed_with()
    {
        await Apply("""
            apiVersion: v1
            kind: Service
            metadata: {name: hook}
            spec: {selector: {app: hook}, ports: [{port: 443, targetPort: 8443}]}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: hook}
            spec:
              replicas: 2
              selector: {matchLabels: {app: hook}}
              template: {metadata: {labels: {app: hook}}, spec: {containers: [{name: c, image: "i:1"}]}}
            ---
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: hook}
            spec: {minAvailable: 1, selector: {matchLabels: {app: hook}}}
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: hook}
            stringData: {a: b}
            ---
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingWebhookConfiguration
            metadata: {name: hook}
            webhooks:
            - name: hook.example.io
              sideEffects: None
              admissionReviewVersions: [v1]
              clientConfig: {service: {name: hook, namespace: default}}
              rules: [{operations: [CREATE], apiGroups: [example.io], apiVersions: [v1], resources: [widgets]}]
            """);
        (await kubectl.OutputAsync("get", "deployment,poddisruptionbudget,mutatingwebhookconfiguration,secret,service")).Should()
            .MatchRegex(@"deployment\.apps/hook +0/2").And.MatchRegex(@"poddisruptionbudget\.policy/hook +1 ")
            .And.MatchRegex(@"mutatingwebhookconfiguration\.admissionregistration\.k8s\.io/hook +1 ").And.MatchRegex(@"secret/hook +Opaque +1 ");
    }

    [Test]
    public async Task Shows_a_headless_Service_of_both_families()
    {
        await Apply("""
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: db-4, labels: {kubernetes.io/service-name: db}}
            addressType: IPv4
            ports: [{name: sql, port: 5432}]
            endpoints: [{addresses: [192.0.2.1]}, {addresses: [192.0.2.2]}, {addresses: [192.0.2.3]}, {addresses: [192.0.2.4]}]
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: db-6, labels: {kubernetes.io/service-name: db}}
            addressType: IPv6
            ports: [{name: sql, port: 5432}]
            endpoints: [{addresses: ["2001:db8::1"]}]
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: db}
            subsets: [{addresses: [{ip: 192.0.2.1}, {ip: "2001:db8::1"}], ports: [{name: sql, port: 5432}]}]
            """);
        (await kubectl.OutputAsync("get", "svc")).Should()
            .MatchRegex(@"NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\ndb +ClusterIP +None +<none> +5432/TCP +\d+s\n");
        (await kubectl.OutputAsync("get", "svc", "-o", "wide")).Should().MatchRegex(@"AGE +SELECTOR\ndb .* <none>\n");
        (await kubectl.OutputAsync("get", "endpointslices")).Should().MatchRegex(
            @"NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\ndb-4 +IPv4 +5432 +192\.0\.2\.1,192\.0\.2\.2,192\.0\.2\.3 \+ 1 more\.\.\. +\d+s\ndb-6 +IPv6 +5432 +2001:db8::1 +\d+s\n");
        (await kubectl.OutputAsync("get", "ep")).Should().MatchRegex(@"NAME +ENDPOINTS +AGE\ndb +192\.0\.2\.1:5432,\[2001:db8::1\]:5432 +\d+s\n");
        var described = await kubectl.OutputAsync("describe", "service", "db");
        described.Should().MatchRegex(@"IP Families: +IPv4,IPv6\n").And.MatchRegex(@"Port: +sql +5432/TCP\n");
        // Before 1.31 it reads the Endpoints.
        described.Should().MatchRegex(kubectl.Minor < 31 ? @"Endpoints: +192\.0\.2\.1:5432,\[2001" : @"Endpoints: +192\.0\.2\.1:5432,192\.0\.2\.2:5432,192\.0\.2\.3:5432 \+ 2 more");
    }

    [Test]
    public async Task Shows_how_Services_are_reached()
    {
        await Apply("""
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            spec: {type: NodePort, selector: {w: z, v: "1"}, ports: [{port: 80, nodePort: 30080}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec: {type: LoadBalancer, clusterIP: 10.96.0.7, ports: [{name: x, port: 80, nodePort: 30081}, {name: w, port: 81, nodePort: 30082, protocol: UDP}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: c}
            spec: {type: ExternalName, externalName: example.com}
            """);
        (await kubectl.OutputAsync("get", "svc", "-o", "wide")).Should().MatchRegex(@"\na +NodePort +10\.96\.0\.\d+ +<none> +80:30080/TCP +\d+s +v=1,w=z\n")
            .And.MatchRegex(@"\nb +LoadBalancer +10\.96\.0\.7 +<pending> +80:30081/TCP,81:30082/UDP +\d+s +<none>\n")
            .And.MatchRegex(@"\nc +ExternalName +<none> +example\.com +<none> +\d+s +<none>\n");
        (await kubectl.OutputAsync("get", "all")).Should().Contain("service/a").And.Contain("service/c");
    }

    [Test]
    public async Task Changes_one_of_a_Services_ports()
    {
        const string service = """
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {clusterIP: None, ports: [{name: sql, port: 5432}, {name: stats, port: 80}]}
            """;
        kubectl.Needs(27);
        await Apply(service);
        (await Apply(service)).Should().Contain("unchanged");
        (await Apply(service.Replace("port: 80", "port: 80, appProtocol: http"))).Should().Contain("configured");
        (await kubectl.OutputAsync("get", "svc", "db", "-o", "jsonpath={range .spec.ports[*]}{.name} {.port} {.appProtocol},{end}")).Should().Be("sql 5432 ,stats 80 http,");
    }

    [Test]
    public async Task Explains_and_lists_resources()
    {
        kubectl.Needs(27);
        (await kubectl.OutputAsync("explain", "widget.spec.size")).Should().Contain("How large it is.").And.Contain("<integer>");
        (await kubectl.OutputAsync("explain", "pod.spec")).Should().Contain("nodeName");
        (await kubectl.OutputAsync("api-resources")).Should().MatchRegex(@"widgets +wd +example\.io/v1 +true +Widget");
        (await kubectl.OutputAsync("get", "all")).Should().Contain("No resources found");
    }

    [Test]
    public async Task Waits_for_a_deletion()
    {
        kubectl.Needs(27);
        await Apply(Widget);
        var wait = kubectl.OutputAsync("wait", "--for=delete", "widget/a", "--timeout=20s");
        await Task.Delay(5000); // kubectl needs its time to begin
        wait.IsCompleted.Should().BeFalse();
        server.Store.Delete("example.io/v1", "Widget", "default", "a");
        (await wait).Should().Contain("condition met");
    }

    /// <summary>Before 1.27 kubectl wants protobuf OpenAPI v2 to validate what it applies.</summary>
    private Task<string> Apply(string manifest) =>
        kubectl.OutputAsync(["apply", .. kubectl.Minor < 27 ? ["--validate=false"] : Array.Empty<string>(), "-f", kubectl.Write("manifest.yaml", manifest)]);
}
