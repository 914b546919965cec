using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Which Services are taken and what becomes of them, on an embedded or real server.</summary>
public sealed class ServiceTests : ClusterFixture
{
    private const string Services = "/api/v1/namespaces/default/services";

    [TestCase("""{"ports":[{"port":80}]}""", """{}""", "spec.ports: Required value")]
    [TestCase("""{"clusterIP":"None"}""", """{"clusterIP":""}""", "spec.ports: Required value")]
    [TestCase("""{"ports":[{"port":1}]}""", """{"ports":[{"port":1},{"name":"b","port":2}]}""", "spec.ports[0].name: Required value")]
    [TestCase("""{"ports":[{"name":"a","port":1},{"name":"b","port":2}]}""", """{"ports":[{"name":"a","port":1},{"name":"a","port":2}]}""", "spec.ports[1].name: Duplicate value: \"a\"")]
    [TestCase("""{"ports":[{"name":"a","port":1},{"name":"b","port":1,"protocol":"UDP"}]}""", """{"ports":[{"name":"a","port":1},{"name":"b","port":1}]}""", "spec.ports[1]: Duplicate value")]
    [TestCase("""{"ports":[{"name":"a-1","port":1}]}""", """{"ports":[{"name":"A","port":1}]}""", "spec.ports[0].name: Invalid value")]
    [TestCase("""{"ports":[{"port":65535}]}""", """{"ports":[{"port":65536}]}""", "spec.ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive")]
    [TestCase("""{"ports":[{"port":1}]}""", """{"ports":[{"name":"a"}]}""", "spec.ports[0].port: Invalid value: 0")]
    [TestCase("""{"ports":[{"port":1,"protocol":"SCTP"}]}""", """{"ports":[{"port":1,"protocol":"sctp"}]}""", "spec.ports[0].protocol: Unsupported value: \"sctp\"")]
    [TestCase("""{"ports":[{"port":1,"targetPort":"http"}]}""", """{"ports":[{"port":1,"targetPort":"1"}]}""", "spec.ports[0].targetPort: Invalid value")]
    [TestCase("""{"ports":[{"port":1,"targetPort":65535}]}""", """{"ports":[{"port":1,"targetPort":-1}]}""", "spec.ports[0].targetPort: Invalid value")]
    [TestCase("""{"ports":[{"port":1,"appProtocol":"kubernetes.io/h2c"}]}""", """{"ports":[{"port":1,"appProtocol":"a b"}]}""", "spec.ports[0].appProtocol: Invalid value")]
    [TestCase("""{"type":"ExternalName","externalName":"a.example.com."}""", """{"type":"ExternalName"}""", "spec.externalName: Required value")]
    [TestCase("""{"type":"ExternalName","externalName":"a"}""", """{"type":"ExternalName","externalName":"a","clusterIP":"None"}""", "spec.clusterIPs: Forbidden")]
    [TestCase("""{"type":"ExternalName","externalName":"10.0.0.1"}""", """{"type":"ExternalName","externalName":"a","ipFamilies":["IPv4"]}""", "spec.ipFamilies: Forbidden")]
    [TestCase("""{"clusterIP":"None","selector":{"a":"b"}}""", """{"clusterIP":"None","selector":{"a":"b c"}}""", "spec.selector")]
    [TestCase("""{"clusterIP":"None","clusterIPs":["None"]}""", """{"clusterIPs":["None"]}""", "spec.clusterIPs: Invalid value")]
    [TestCase("""{"clusterIP":"None","ipFamilies":["IPv6","IPv4"]}""", """{"clusterIP":"None","ipFamilies":["IPv4","IPv4"]}""", "spec.ipFamilies[1]: Duplicate value")]
    [TestCase("""{"clusterIP":"None","ipFamilies":["IPv6"]}""", """{"clusterIP":"None","ipFamilies":["ipv6"]}""", "spec.ipFamilies[0]: Unsupported value: \"ipv6\"")]
    [TestCase("""{"clusterIP":"None","ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"PreferDualStack"}""", """{"clusterIP":"None","ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"SingleStack"}""", "spec.ipFamilyPolicy: Invalid value")]
    [TestCase("""{"ports":[{"port":1}],"clusterIP":"10.96.77.1"}""", """{"ports":[{"port":1}],"clusterIP":"10.97.77.1"}""", "spec.clusterIPs: Invalid value")]
    [TestCase("""{"ports":[{"port":1}],"clusterIP":"fd00:10:96::77"}""", """{"ports":[{"port":1}],"clusterIP":"fd00:10:96::78","ipFamilies":["IPv4"]}""", "spec.clusterIPs[0]: Invalid value")]
    [TestCase("""{"ports":[{"port":1}],"clusterIP":"10.96.77.2"}""", """{"ports":[{"port":1}],"clusterIP":"10.96.0.1"}""", "provided IP is already allocated")]
    [TestCase("""{"ports":[{"port":1}],"clusterIP":"10.96.77.3"}""", """{"ports":[{"port":1}],"clusterIP":"10.96.77"}""", "spec.clusterIPs[0]: Invalid value")]
    [TestCase("""{"clusterIP":"None","sessionAffinity":"ClientIP"}""", """{"clusterIP":"None","sessionAffinity":"Client"}""", "spec.sessionAffinity: Unsupported value")]
    [TestCase("""{"clusterIP":"None","externalIPs":["192.0.2.1"]}""", """{"clusterIP":"None","externalIPs":["127.0.0.1"]}""", "spec.externalIPs[0]: Invalid value")]
    [TestCase("""{"clusterIP":"None","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86400}}}""", """{"clusterIP":"None","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}}}""", "timeoutSeconds: Invalid value: 86401")]
    [TestCase("""{"clusterIP":"None","externalIPs":["192.0.2.1"],"externalTrafficPolicy":"Local"}""", """{"clusterIP":"None","externalTrafficPolicy":"Local"}""", "spec.externalTrafficPolicy: Invalid value")]
    [TestCase("""{"ports":[{"port":1,"nodePort":30100}],"type":"NodePort"}""", """{"ports":[{"port":1,"nodePort":30101}]}""", "spec.ports[0].nodePort: Forbidden")]
    [TestCase("""{"ports":[{"port":1,"nodePort":32767}],"type":"NodePort"}""", """{"ports":[{"port":1,"nodePort":32768}],"type":"NodePort"}""", "spec.ports[0].nodePort: Invalid value: 32768: provided port is not in the valid range")]
    [TestCase("""{"ports":[{"port":1,"nodePort":30102}],"type":"LoadBalancer"}""", """{"ports":[{"port":1,"nodePort":30102}],"type":"NodePort"}""", "provided port is already allocated")]
    [TestCase("""{"ports":[{"name":"a","port":1,"nodePort":30103},{"name":"b","port":1,"nodePort":30103,"protocol":"UDP"}],"type":"NodePort"}""", """{"ports":[{"name":"a","port":1,"nodePort":30104},{"name":"b","port":2,"nodePort":30104}],"type":"NodePort"}""", "spec.ports[1].nodePort: Duplicate value: 30104")]
    [TestCase("""{"clusterIP":"None"}""", """{"clusterIP":"None","ports":[{"port":1}],"type":"NodePort"}""", "spec.clusterIPs[0]: Invalid value")]
    [TestCase("""{"ports":[{"port":1}],"type":"LoadBalancer","allocateLoadBalancerNodePorts":false}""", """{"ports":[{"port":1}],"allocateLoadBalancerNodePorts":false}""", "spec.allocateLoadBalancerNodePorts: Forbidden")]
    public async Task Taken_and_refused(string taken, string refused, string message)
    {
        var (code, made) = await Create(taken);
        code.Should().Be(201, "{0}", made);
        (code, made) = await Create(refused);
        code.Should().Be(422, "{0}", made);
        made["message"].String().Should().Contain(message);
    }

    [TestCase("a-1", 201)]
    [TestCase("1-a", 422)]
    [TestCase("a.b", 422)]
    public async Task Is_named_like_a_host(string name, int code)
    {
        var body = New("v1", "Service", """{"spec":{"clusterIP":"None"}}""");
        body["metadata"]!["name"] = name;
        (await Send("POST", Services, body)).Code.Should().Be(code);
        await Send("DELETE", $"{Services}/{name}");
    }

    [TestCase("""{"clusterIP":"None"}""", "None", "IPv4 IPv6", "RequireDualStack")]
    [TestCase("""{"clusterIP":"None","ipFamilies":["IPv6"]}""", "None", "IPv6 IPv4", "RequireDualStack")]
    [TestCase("""{"clusterIP":"None","ipFamilies":["IPv6"],"ipFamilyPolicy":"SingleStack"}""", "None", "IPv6", "SingleStack")]
    [TestCase("""{"clusterIP":"None","ipFamilyPolicy":"SingleStack"}""", "None", "IPv4", "SingleStack")]
    [TestCase("""{"clusterIP":"None","selector":{"a":"b"}}""", "None", "IPv4", "SingleStack")]
    [TestCase("""{"clusterIP":"None","selector":{"a":"b"},"ipFamilyPolicy":"PreferDualStack"}""", "None", "IPv4 IPv6", "PreferDualStack")]
    [TestCase("""{"ports":[{"port":1}]}""", "10.96.*", "IPv4", "SingleStack")]
    [TestCase("""{"ports":[{"port":1}],"ipFamilies":["IPv6"]}""", "fd00:10:96::*", "IPv6", "SingleStack")]
    [TestCase("""{"ports":[{"port":1}],"ipFamilyPolicy":"RequireDualStack"}""", "10.96.* fd00:10:96::*", "IPv4 IPv6", "RequireDualStack")]
    [TestCase("""{"ports":[{"port":1}],"ipFamilyPolicy":"PreferDualStack","clusterIP":"fd00:10:96::99"}""", "fd00:10:96::99 10.96.*", "IPv6 IPv4", "PreferDualStack")]
    [TestCase("""{"type":"ExternalName","externalName":"a"}""", "", "", null)]
    public async Task Gets_families_and_addresses(string spec, string addresses, string families, string? policy)
    {
        var (_, made) = await Create(spec);
        string.Join(' ', made.At("spec", "ipFamilies").Strings()).Should().Be(families);
        string.Join(' ', made.At("spec", "clusterIPs").Strings()).Should().MatchRegex($"^{addresses.Replace("*", ".+")}$");
        made.At("spec", "clusterIP").String().Should().Be(made.At("spec", "clusterIPs").Strings().FirstOrDefault());
        made.At("spec", "ipFamilyPolicy").String().Should().Be(policy);
    }

    [Test]
    public async Task Gets_the_rest_of_itself()
    {
        var (_, made) = await Create("""
            {"clusterIP": "None", "publishNotReadyAddresses": false, "selector": {}, "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 1}},
             "ports": [{"name": "a", "port": 80, "nodePort": 0, "protocol": ""}, {"name": "b", "port": 81, "protocol": "UDP", "targetPort": "web"}]}
            """);
        JsonNode.DeepEquals(made["spec"], JsonNode.Parse("""
            {"clusterIP": "None", "clusterIPs": ["None"], "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack", "internalTrafficPolicy": "Cluster",
             "ports": [{"name": "a", "port": 80, "protocol": "TCP", "targetPort": 80}, {"name": "b", "port": 81, "protocol": "UDP", "targetPort": "web"}],
             "sessionAffinity": "None", "type": "ClusterIP"}
            """)).Should().BeTrue("it is {0}", made["spec"]);
        JsonNode.DeepEquals(made["status"], JsonNode.Parse("""{"loadBalancer":{}}""")).Should().BeTrue("it is {0}", made["status"]);
    }

    [Test]
    public async Task Gets_node_ports_and_loses_them_with_its_type()
    {
        var (_, made) = await Create("""{"type":"LoadBalancer","ports":[{"name":"a","port":53},{"name":"b","port":53,"protocol":"UDP"},{"name":"c","port":80}]}""");
        var ports = NodePorts(made);
        ports.Should().OnlyContain(p => p >= 30000 && p <= 32767);
        ports[1].Should().Be(ports[0], "they are of one service").And.NotBe(ports[2]);
        var changed = NodePorts((await Change(made, """{"type":"NodePort","allocateLoadBalancerNodePorts":null,"ports":[{"name":"c","port":8080},{"name":"d","port":90}]}""")).Answer);
        changed.Should().HaveCount(2).And.OnlyHaveUniqueItems().And.NotContainNulls().And.StartWith(ports[2]);
        NodePorts((await Change(made, """{"type":"ClusterIP","externalTrafficPolicy":null}""")).Answer).Should().HaveCount(2).And.OnlyContain(p => p == null);
        NodePorts((await Create("""{"ports":[{"port":1}],"type":"LoadBalancer","allocateLoadBalancerNodePorts":false}""")).Made).Should().ContainSingle().Which.Should().BeNull();

        static int?[] NodePorts(JsonObject service) => [.. service.At("spec", "ports")!.AsArray().Select(p => p.At("nodePort")?.GetValue<int>())];
    }

    [Test]
    public async Task Its_address_is_its_own_until_it_goes()
    {
        var (_, first) = await Create("""{"ports":[{"port":1}],"clusterIP":"10.96.88.1"}""");
        var again = """{"ports":[{"port":1}],"clusterIP":"10.96.88.1"}""";
        (await Create(again)).Made["message"].String().Should().Contain("provided IP is already allocated");
        await Send("DELETE", $"{Services}/{first.At("metadata", "name").String()}");
        (await Create(again)).Code.Should().Be(201);
    }

    [Test]
    public async Task Addresses_given_to_many_at_once_differ()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Create("""{"ports":[{"port":1}],"ipFamilyPolicy":"RequireDualStack"}""")));
        made.SelectMany(m => m.Made.At("spec", "clusterIPs").Strings()).Should().HaveCount(40).And.OnlyHaveUniqueItems();
    }

    [TestCase("""{"clusterIP":"None"}""", """{"clusterIP":null}""", """{"clusterIP":"10.96.89.1"}""", "may not change once set")]
    [TestCase("""{"ports":[{"port":1}]}""", """{"clusterIP":null,"clusterIPs":null}""", """{"clusterIP":"None"}""", "may not change once set")]
    [TestCase("""{"ports":[{"port":1}]}""", """{"ipFamilyPolicy":"PreferDualStack"}""", """{"ipFamilies":["IPv6"]}""", "IPv6")]
    [TestCase("""{"ports":[{"port":1}],"ipFamilyPolicy":"RequireDualStack"}""", """{"ipFamilyPolicy":"SingleStack"}""", """{"ipFamilies":["IPv4"]}""", "must be 'SingleStack' to release the secondary IP family")]
    [TestCase("""{"clusterIP":"None"}""", """{"ipFamilies":["IPv6","IPv4"]}""", """{"ipFamilies":["IPv6"]}""", "must be 'SingleStack' to release the secondary IP family")]
    [TestCase("""{"ports":[{"port":1}]}""", """{"type":"ExternalName","externalName":"a"}""", """{"type":"ExternalName"}""", "spec.externalName: Required value")]
    public async Task Changed_and_not(string spec, string taken, string refused, string message)
    {
        var (_, made) = await Create(spec);
        var (code, answer) = await Change(made, refused);
        code.Should().Be(422, "{0}", answer);
        answer["message"].String().Should().Contain(message);
        (code, answer) = await Change(made, taken);
        code.Should().Be(200, "{0}", answer);
    }

    [Test]
    public async Task Loses_the_second_address_with_the_second_family_and_gets_one_again()
    {
        var (_, made) = await Create("""{"ports":[{"port":1}],"ipFamilyPolicy":"RequireDualStack"}""");
        var first = made.At("spec", "clusterIP").String();
        var (_, single) = await Change(made, """{"ipFamilyPolicy":"SingleStack"}""");
        single.At("spec", "clusterIPs").Strings().Should().Equal(first);
        single.At("spec", "ipFamilies").Strings().Should().Equal("IPv4");
        var (_, twice) = await Change(made, """{"ipFamilyPolicy":"PreferDualStack"}""");
        twice.At("spec", "clusterIPs").Strings().Should().HaveCount(2).And.StartWith(first);
    }

    [Test]
    public async Task Written_back_by_one_who_knows_neither_addresses_nor_families_it_keeps_them()
    {
        foreach (var spec in (string[])["""{"ports":[{"port":1}],"ipFamilyPolicy":"RequireDualStack"}""", """{"clusterIP":"None","ports":[{"port":1}]}"""])
        {
            var (_, made) = await Create(spec);
            var body = (JsonObject)made.DeepClone();
            foreach (var field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
                ((JsonObject)body["spec"]!).Remove(field);
            var (code, answer, _) = await Send("PUT", $"{Services}/{made.At("metadata", "name").String()}", body);
            code.Should().Be(200, "{0}", answer);
            JsonNode.DeepEquals(answer["spec"], made["spec"]).Should().BeTrue("{0} was {1}", answer["spec"], made["spec"]);
        }
    }

    [Test]
    public async Task Ports_are_merged_by_number_in_a_strategic_patch()
    {
        var (_, made) = await Create("""{"clusterIP":"None","ports":[{"name":"a","port":1},{"name":"b","port":2}]}""");
        var patch = JsonNode.Parse("""{"spec":{"ports":[{"port":2,"appProtocol":"x"},{"port":1,"$patch":"delete"}]}}""");
        var (_, answer, _) = await Send("PATCH", $"{Services}/{made.At("metadata", "name").String()}", patch, "application/strategic-merge-patch+json");
        var port = answer.At("spec", "ports")!.AsArray().Should().ContainSingle().Subject;
        port.At("name").String().Should().Be("b");
        port.At("appProtocol").String().Should().Be("x");
    }

    [Test]
    public async Task Is_found_by_type_and_address()
    {
        var (_, made) = await Create("""{"clusterIP":"None"}""");
        var name = made.At("metadata", "name").String();
        (await Names("spec.clusterIP=None")).Should().Contain(name);
        (await Names("spec.clusterIP!=None")).Should().NotContain(name);
        (await Names("spec.type=ExternalName")).Should().NotContain(name);

        async Task<string?[]> Names(string selector) =>
            [.. (await Send("GET", $"{Services}?fieldSelector={selector}")).Body["items"]!.AsArray().Select(i => i.At("metadata", "name").String())];
    }

    private async Task<(int Code, JsonObject Made)> Create(string spec)
    {
        var (code, body, _) = await Send("POST", Services, New("v1", "Service", $$"""{"spec":{{spec}}}"""));
        return (code, body);
    }

    private async Task<(int Code, JsonObject Answer)> Change(JsonObject service, string spec)
    {
        var patch = JsonNode.Parse($$"""{"spec":{{spec}}}""");
        var (code, body, _) = await Send("PATCH", $"{Services}/{service.At("metadata", "name").String()}", patch, "application/merge-patch+json");
        return (code, body);
    }
}
