using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd;

/// <summary>Whatever is wrong with an ADD, it says what and changes nothing: no file, no interface, no object.</summary>
[TestFixture, Parallelizable]
public sealed class BadInputTests : HostFixture
{
    private const int Deep = 10_000;
    private const int Huge = 50 << 20;

    private static readonly string Nested = new string('[', Deep) + new string(']', Deep);

    [TestCaseSource(nameof(Rows))]
    public async Task Is_refused_and_changes_nothing(BadInput row)
    {
        Store("good", """{"NetworkID":"good","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","container_prefix":"net"}}""");
        if (row.Network is not null)
            Store("bad", row.Network);
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "others", """{"NetworkID":"others","AllowedTenants":["other"],"Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""));
        var pod = Objects.Pod("pod", null);
        pod["metadata"]!["annotations"] = row.Annotations.DeepClone();
        var sandbox = await Node.StartPodAsync(pod);
        if (row.Shell is not null)
            await Node.ShellAsync(row.Shell);
        var call = sandbox.Call("ADD");
        if (row.Kubeconfig is not null)
            call.Config["kubeconfig"] = Node.WriteFile("bad-kubeconfig", row.Kubeconfig(Node));
        row.Configure?.Invoke(call.Config);
        if (row.Change is not null)
            call = row.Change(call);
        if (row.Fault is not null)
            Node.Server.Faults.Add(row.Fault());
        var interfaces = await Node.InterfacesAsync();
        Node.Server.Requests.Clear();

        var outcome = await Node.CallAsync(call);

        outcome.Failed(row.Code).Stderr.Should().BeEmpty();
        outcome.Json.Select(m => m.Key).Should().BeSubsetOf(["cniVersion", "code", "msg", "details"]);
        $"{outcome.Msg}; {outcome.Json["details"]}".Should().ContainAll(row.Says);
        (await Node.StateAsync()).Should().BeEmpty();
        (await Node.InterfacesAsync()).Should().Be(interfaces);
        Node.Objects().Should().BeEmpty();
        if (!row.IsUndone)
            Node.Server.Requests.All.Where(r => r.Verb is not ("get" or "list")).Select(r => $"{r.Verb} {r.Path}").Should().BeEmpty();
    }

    private void Store(string name, string spec) => Node.Server.Store.Load("danm.io/v1", "DanmNet", [Objects.Network("DanmNet", name, spec)]);

    private static BadInput Annotated(string name, string interfaces, params string[] says) => new(name, 101, [.. says, "default/pod"]) { Annotations = BadInput.Interfaces(interfaces) };

    private static BadInput Networked(string name, string spec, params string[] says) => new(name, 102, [.. says, "DanmNet/default/bad"])
    {
        Network = spec,
        Annotations = BadInput.Interfaces("""[{"network":"good","ip":"dynamic"},{"network":"bad","ip":"dynamic"}]"""),
    };

    private static BadInput Optioned(string name, string options, params string[] says) =>
        Networked(name, $$$"""{"NetworkID":"bad","Options":{"host_device":"parent0",{{{options}}}}}""", says);

    private static BadInput Configured(string name, int code, string key, JsonNode? value, params string[] says) =>
        new(name, code, [.. says, key]) { Configure = c => c[key] = value?.DeepClone() };

    private static BadInput Called(string name, int code, Func<CniCall, CniCall> change, params string[] says) => new(name, code, says) { Change = change };

    private static BadInput Answered(string name, int code, Func<Fault> fault, params string[] says) => new(name, code, says) { Fault = fault };

    private static BadInput Credentials(string name, int code, Func<HostNode, string> kubeconfig, params string[] says) => new(name, code, says) { Kubeconfig = kubeconfig };

    private static IEnumerable<TestCaseData> Rows() => All().Select(row => new TestCaseData(row).SetArgDisplayNames(row.Name));

    private static IEnumerable<BadInput> All() => [.. Variables(), .. Configurations(), .. Servers(), .. Annotations(), .. Networks()];

    private static IEnumerable<BadInput> Variables() =>
    [
        Called("unknown command", 4, c => c with { Command = "FROB" }, "CNI_COMMAND", "FROB", "ADD"),
        Called("no container id", 4, c => c with { ContainerId = "" }, "CNI_CONTAINERID", "missing"),
        Called("container id that is a path", 4, c => c with { ContainerId = "../x" }, "CNI_CONTAINERID", "'../x'", "letter or digit"),
        Called("no interface name", 4, c => c with { IfName = null }, "CNI_IFNAME", "missing"),
        Called("interface name that is a path", 4, c => c with { IfName = "../x" }, "CNI_IFNAME", "'../x'", "without '/'"),
        Called("interface name of 16 characters", 4, c => c with { IfName = "abcdefghijklmnop" }, "CNI_IFNAME", "'abcdefghijklmnop'", "1 to 15"),
        Called("no namespace", 4, c => c with { Netns = null }, "CNI_NETNS", "missing"),
        Called("namespace of a relative path", 4, c => c with { Netns = "run/netns/x" }, "CNI_NETNS", "'run/netns/x'", "absolute path"),
        Called("namespace that is missing", 3, c => c with { Netns = "/run/netns/missing" }, "CNI_NETNS", "\"/run/netns/missing\"", "no such file"),
        Called("namespace that is a file", 3, c => c with { Netns = "/proc/version" }, "CNI_NETNS", "\"/proc/version\"", "not a network namespace"),
        Called("namespace of another kind", 3, c => c with { Netns = "/proc/self/ns/mnt" }, "CNI_NETNS", "\"/proc/self/ns/mnt\"", "not a network namespace"),
        Called("argument without a value", 4, c => c with { Args = "K8S_POD_NAME" }, "CNI_ARGS", "'K8S_POD_NAME'", "KEY=value"),
        Called("Pod name that is a path", 4, c => c with { Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=.." }, "CNI_ARGS", "K8S_POD_NAME '..'", "DNS-1123"),
        Called("Pod uid that is a path", 4, c => c with { Args = $"{c.Args};K8S_POD_UID=../x" }, "CNI_ARGS", "K8S_POD_UID '../x'", "UID"),
        Called("no Pod", 4, c => c with { Args = "IgnoreUnknown=1" }, "CNI_ARGS", "K8S_POD_NAMESPACE", "K8S_POD_NAME", "needs"),
        Called("Pod that does not exist", 11, c => c with { Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=absent" }, "K8S_POD_NAME", "default/absent", "does not exist"),
        Called("Pod of another uid", 11, c => c with { Args = $"{c.Args};K8S_POD_UID=00000000-0000-0000-0000-000000000001" }, "default/pod", "00000000-0000-0000-0000-000000000001"),
    ];

    private static IEnumerable<BadInput> Configurations() =>
    [
        Called("no configuration", 6, c => c with { Stdin = "" }, "network configuration", "is empty"),
        Called("configuration that is no JSON", 6, c => c with { Stdin = "{\"cniVersion\": 1.0.0}" }, "network configuration", "byte 19"),
        Called("configuration that is a list", 6, c => c with { Stdin = "[]" }, "network configuration", "JSON object"),
        Called("configuration of two documents", 6, c => c with { Stdin = c.Config.ToJsonString() + "{}" }, "network configuration"),
        Called("configuration of 10,000 levels", 6, c => c with { Stdin = $$"""{"name":"n","x":{{Nested}}}""" }, "network configuration", "64"),
        Called("configuration of 50 MB", 6, c => c with { Stdin = new string(' ', Huge) + "{}" }, "network configuration", "longer than 1048576 bytes"),
        Configured("unknown version", 1, "cniVersion", "9.9.9", "'9.9.9'", "supported versions: 0.1.0"),
        Configured("version that is no text", 7, "cniVersion", 1, "a string"),
        Configured("no name", 7, "name", null, "missing"),
        Configured("name that is a path", 7, "name", "../x", "'../x'", "letter or digit"),
        Configured("time-out that is a text", 7, "timeoutSeconds", "soon", "a whole number"),
        Configured("time-out of nothing", 7, "timeoutSeconds", 0, "'0'", "1 to 600"),
        Configured("unknown log level", 7, "logLevel", "loud", "'loud'", "debug, info"),
        Configured("unknown order", 7, "parallel", "some", "'some'", "all, others, none"),
        Configured("unknown flooding", 7, "vxlanFlooding", "some", "'some'", "multicast, unicast"),
        Configured("node name that is a path", 7, "nodeName", "../x", "'../x'", "DNS-1123"),
        Configured("no kubeconfig", 7, "kubeconfig", null, "name the file"),
        Configured("kubeconfig of a relative path", 7, "kubeconfig", "kubeconfig", "'kubeconfig'", "absolute path"),
        Configured("kubeconfig that is missing", 7, "kubeconfig", "/etc/missing/kubeconfig", "\"/etc/missing/kubeconfig\""),
        Configured("kubeconfig that is a folder", 7, "kubeconfig", "/etc", "\"/etc\""),
    ];

    private static IEnumerable<BadInput> Servers() =>
    [
        Credentials("kubeconfig that is no JSON", 7, _ => "{\"clusters\": [", "kubeconfig", "not valid"),
        Credentials("kubeconfig that is no YAML", 7, _ => "clusters: [\n}", "kubeconfig", "not valid"),
        Credentials("kubeconfig of 10,000 levels", 7, _ => Nested, "kubeconfig", "not valid"),
        Credentials("kubeconfig of 500,000 levels", 7, _ => new string('[', 500_000), "kubeconfig", "64 levels"),
        Credentials("kubeconfig of 50 MB", 7, _ => new string(' ', Huge), "kubeconfig", "larger than"),
        Credentials("kubeconfig without a server", 7, n => n.KubeconfigText().Replace("\"server\"", "\"servant\""), "kubeconfig", "server"),
        Credentials("server that is down", 11, n => n.Server.Kubeconfig(new KubeconfigOptions { Port = 1 }), "API server", "https://127.0.0.1:1/", "Connection refused", "is it up"),
        Credentials("server of another authority", 107, n => n.KubeconfigText(new KubeconfigOptions { CertificateAuthorityPem = new CertificateAuthority().Pem }), "secure connection to the API server", "https://127.0.0.1:", "certificate authority"),
        Credentials("token that nobody knows", 106, n => n.KubeconfigText(new KubeconfigOptions { Token = "stranger" }), "API server", "401", "token"),
        Answered("right that is missing for Pods", 106, () => new Fault(Fault.On("get", "pods")) { Answer = StatusException.Forbidden("pods \"pod\" is forbidden") }, "pods/pod", "403", "check the rights"),
        Answered("right that is missing for networks", 106, () => new Fault(Fault.On("get", "danmnets")) { Answer = StatusException.Forbidden("danmnets is forbidden") }, "danmnets/good", "403", "check the rights"),
        Answered("Pod of 50 MB", 11, () => Body("pods", new string(' ', Huge) + "{}"), "pods/pod", "larger than 4194304 bytes"),
        Answered("Pod of 10,000 levels", 11, () => Body("pods", $$$"""{"metadata":{"x":{{{Nested}}}}}"""), "pods/pod", "no valid Pod"),
        Answered("Pod that is no JSON", 11, () => Body("pods", "<html>"), "pods/pod", "no valid Pod"),
        Answered("network of 50 MB", 11, () => Body("danmnets", new string(' ', Huge) + "{}"), "danmnets/good", "larger than 4194304 bytes"),
        Answered("network of 10,000 levels", 102, () => Body("danmnets", $$$"""{"spec":{"x":{{{Nested}}}}}"""), "DanmNet/default/good"),
    ];

    private static IEnumerable<BadInput> Annotations() =>
    [
        new("both prefixes with different JSON", 101, "danm.k8s.io/interfaces", "danm.io/interfaces", "remove one of them")
        {
            Annotations = new JsonObject { ["danm.io/interfaces"] = """[{"network":"good"}]""", ["danm.k8s.io/interfaces"] = """[{"network":"good","ip":"dynamic"}]""" },
        },
        new("foreign key", 101, "danm.example/interfaces", "did you mean danm.io/interfaces") { Annotations = BadInput.Interfaces("[]", "danm.example/interfaces") },
        new("misspelt key", 101, "DANM.io/Interfaces", "did you mean danm.io/interfaces") { Annotations = BadInput.Interfaces("[]", "DANM.io/Interfaces") },
        Annotated("annotation that is no JSON", "[not json", "danm.io/interfaces", "[not json", "JSON"),
        Annotated("annotation that is an object", """{"network":"good"}""", "danm.io/interfaces", "must be a JSON list"),
        Annotated("annotation of 10,000 levels", Nested, "danm.io/interfaces", "must be a JSON object"),
        Annotated("route of 10,000 levels", $$"""[{"network":"good","proutes":{{Nested}}}]""", "danm.io/interfaces[0].proutes", "must be an object"),
        Annotated("annotation of 64 KB", $"[{new string(' ', 1 << 16)}]", "danm.io/interfaces", "longer than 65536 bytes"),
        Annotated("unknown field", """[{"network":"good"},{"network":"good","ipv4":"dynamic"}]""", "danm.io/interfaces[1]", "\"ipv4\"", "network, tenantNetwork, clusterNetwork, ip, ip6"),
        Annotated("field twice", """[{"network":"good","ip":"none","IP":"dynamic"}]""", "danm.io/interfaces[0]", "\"IP\"", "twice"),
        Annotated("two networks in one entry", """[{"network":"good"},{"network":"good","clusterNetwork":"good"}]""", "danm.io/interfaces[1]", "more than one of network, tenantNetwork, clusterNetwork"),
        Annotated("no network in an entry", """[{"ip":"dynamic"}]""", "danm.io/interfaces[0]", "none of network, tenantNetwork, clusterNetwork"),
        Annotated("network name that is a path", """[{"network":"../../pods/x"}]""", "danm.io/interfaces[0].network", "\"../../pods/x\"", "not a name"),
        new("unknown network", 102, "DanmNet/default/absent", "create it") { Annotations = BadInput.Interfaces("""[{"network":"good"},{"network":"absent"}]""") },
        new("network of other namespaces", 103, "ClusterNetwork/others", "namespace default", "spec.AllowedTenants") { Annotations = BadInput.Interfaces("""[{"network":"good"},{"clusterNetwork":"others"}]""") },
        new("no network at all", 101, "danm.io/interfaces", "\"default\"", "create one, or annotate the Pod") { Annotations = [] },
        Annotated("malformed address", """[{"network":"good","ip":"10.1.0.256"}]""", "danm.io/interfaces[0].ip", "\"10.1.0.256\"", "an IPv4 address"),
        Annotated("address of the other family", """[{"network":"good","ip":"fd00::1"}]""", "danm.io/interfaces[0].ip", "\"fd00::1\"", "an IPv4 address"),
        Annotated("address that is a number", """[{"network":"good","ip":10}]""", "danm.io/interfaces[0].ip", "must be a text"),
        Annotated("malformed route", """[{"network":"good","ip":"dynamic","proutes":{"10.0.0.0/33":"10.1.0.1"}}]""", "danm.io/interfaces[0].proutes", "\"10.0.0.0/33\"", "an IPv4 subnet"),
        Annotated("malformed gateway", """[{"network":"good","ip":"dynamic","proutes":{"10.0.0.0/8":"gw"}}]""", "danm.io/interfaces[0].proutes[10.0.0.0/8]", "\"gw\"", "an IPv4 address"),
        Annotated("control characters", """[{"network":"good","ip":"\u001b[31m\u0000"}]""", "danm.io/interfaces[0].ip", "\\u001b[31m\\u0000"),
        new("address outside the subnet", 101, "10.2.0.5", "10.1.0.0/24", "DanmNet/default/good", "ask for an address inside it") { Annotations = BadInput.Interfaces("""[{"network":"good","ip":"10.2.0.5"}]""") },
        new("broadcast address", 101, "10.1.0.255", "DanmNet/default/good", "ask for another one") { Annotations = BadInput.Interfaces("""[{"network":"good","ip":"10.1.0.255"}]""") },
        new("family that the network has not", 101, "DanmNet/default/good", "net6", "leave out ip6") { Annotations = BadInput.Interfaces("""[{"network":"good","ip6":"dynamic"}]""") },
    ];

    private static IEnumerable<BadInput> Networks() =>
    [
        Networked("NetworkID that is a path", """{"NetworkID":"../x","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}""", "spec.NetworkID", "\"../x\"", "no '..'"),
        Networked("NetworkType that is a path", """{"NetworkID":"bad","NetworkType":"../x","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}""", "spec.NetworkType", "\"../x\"", "no '..'"),
        Networked("NetworkType that is unknown", """{"NetworkID":"bad","NetworkType":"bridge","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}""", "spec.NetworkType", "'bridge'", "bad.conf", ".conflist", "/etc/cni/net.d"),
        Networked("host_device that is a path", """{"NetworkID":"bad","Options":{"host_device":"../x","cidr":"10.1.0.0/24"}}""", "spec.Options.host_device", "\"../x\"", "no '..'"),
        Networked("no host_device", """{"NetworkID":"bad","Options":{"cidr":"10.1.0.0/24"}}""", "spec.Options.host_device", "missing"),
        Optioned("container_prefix that is a path", """ "cidr":"10.1.0.0/24","container_prefix":"../x" """, "spec.Options.container_prefix", "\"../x\"", "no '..'"),
        Optioned("interface name over 15 characters", """ "cidr":"10.1.0.0/24","container_prefix":"abcdefghijklmno" """, "spec.Options.container_prefix", "\"abcdefghijklmno\"", "interface 1", "at most 15 characters"),
        Optioned("same interface name twice", """ "cidr":"10.1.0.0/24","container_prefix":"e" """, "spec.Options.container_prefix", "\"e\"", "'e1'", "DanmNet/default/good", "another prefix") with { Change = c => c with { IfName = "e1" } },
        Optioned("VLAN out of range", """ "cidr":"10.1.0.0/24","vlan":5000 """, "spec.Options.vlan", "\"5000\"", "1 to 4094"),
        Optioned("VLAN beside a VxLAN", """ "cidr":"10.1.0.0/24","vlan":5,"vxlan":6 """, "spec.Options.vxlan", "\"6\"", "beside vlan 5", "remove one of them"),
        Optioned("malformed subnet", """ "cidr":"10.1.0.0/33" """, "spec.Options.cidr", "\"10.1.0.0/33\"", "such as 10.0.0.0/24"),
        Optioned("gateway outside the subnet", """ "cidr":"10.1.0.0/24","routes":{"10.9.0.0/16":"10.2.0.1"} """, "spec.Options.routes[10.9.0.0/16]", "\"10.2.0.1\"", "inside 10.1.0.0/24"),
        Optioned("NetworkID too long for its VLAN", """ "cidr":"10.1.0.0/24","vlan":5 """, "spec.NetworkID", "at most 15 characters") with
        {
            Network = """{"NetworkID":"abcdefghijklmno","Options":{"host_device":"parent0","vlan":5,"cidr":"10.1.0.0/24"}}""",
        },
        Optioned("VLAN that is a text", """ "cidr":"10.1.0.0/24","vlan":"abc" """, "spec.Options.vlan", "correct"),
        Optioned("subnet that is a number", """ "cidr":10 """, "spec.Options.cidr", "correct"),
        Optioned("routes that are a list", """ "cidr":"10.1.0.0/24","routes":["10.9.0.0/16"] """, "spec.Options.routes", "correct"),
        Networked("options that are a text", """{"NetworkID":"bad","Options":"none"}""", "spec.Options", "correct"),
        Networked("host_device that is missing on the node", """{"NetworkID":"bad","Options":{"host_device":"ens99","cidr":"10.1.0.0/24"}}""", "\"ens99\"", "does not exist on this node", "create it") with { Code = 108 },
        Optioned("host interface that is something else", """ "cidr":"10.1.0.0/24","vlan":5 """, "\"bad.5\"", "not VLAN 5", "remove or rename it") with { Code = 108, Shell = "ip link add bad.5 type bridge && ip link set bad.5 addrgenmode none" },
        Networked("host_device that can have no children", """{"NetworkID":"bad","Options":{"host_device":"lo","cidr":"10.1.0.0/24"}}""", "interface \"eth1\" on DanmNet/default/bad: the kernel refused to add link \"eth1\"") with { Code = 109, IsUndone = true },
    ];

    private static Fault Body(string resource, string text) => new(Fault.On("get", resource)) { Body = Encoding.UTF8.GetBytes(text) };
}
