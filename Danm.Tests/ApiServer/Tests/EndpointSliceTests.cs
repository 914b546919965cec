using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Which EndpointSlices are taken and what becomes of them, on an embedded or real server.</summary>
public sealed class EndpointSliceTests : ClusterFixture
{
    private const string Slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

    [TestCase("""{"addressType":"IPv4"}""", """{}""", "addressType: Required value")]
    [TestCase("""{"addressType":"FQDN","endpoints":[{"addresses":["a.example.com"]}]}""", """{"addressType":"IP"}""", "addressType: Unsupported value: \"IP\"")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":[]}]}""", "endpoints[0].addresses: Required value")]
    [TestCase("""{"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"]}]}""", """{"addressType":"IPv6","endpoints":[{"addresses":["10.0.0.1"]}]}""", "endpoints[0].addresses[0]: Invalid value")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1","10.0.0.1"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1","fd00::1"]}]}""", "endpoints[0].addresses[1]: Invalid value")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["1.0.0.0"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["0.0.0.0"]}]}""", "may not be unspecified")]
    [TestCase("""{"addressType":"IPv6","endpoints":[{"addresses":["::2"]}]}""", """{"addressType":"IPv6","endpoints":[{"addresses":["::"]}]}""", "may not be unspecified")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["128.0.0.1"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["127.1.2.3"]}]}""", "loopback")]
    [TestCase("""{"addressType":"IPv6","endpoints":[{"addresses":["1::1"]}]}""", """{"addressType":"IPv6","endpoints":[{"addresses":["::1"]}]}""", "loopback")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["169.253.0.1"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["169.254.0.1"]}]}""", "link-local range")]
    [TestCase("""{"addressType":"IPv6","endpoints":[{"addresses":["fec0::1"]}]}""", """{"addressType":"IPv6","endpoints":[{"addresses":["febf::1"]}]}""", "link-local range")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["224.0.1.1"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["224.0.0.1"]}]}""", "link-local multicast range")]
    [TestCase("""{"addressType":"IPv6","endpoints":[{"addresses":["ff05::1"]}]}""", """{"addressType":"IPv6","endpoints":[{"addresses":["ff02::1"]}]}""", "link-local multicast range")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1/24"]}]}""", "endpoints[0].addresses[0]: Invalid value")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hostname":"a-1"}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hostname":"a.b"}]}""", "endpoints[0].hostname: Invalid value")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hostname":null}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hostname":""}]}""", "endpoints[0].hostname: Invalid value")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"nodeName":"a.b"}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"nodeName":"a_b"}]}""", "endpoints[0].nodeName: Invalid value")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hints":{"forZones":[{"name":"a"},{"name":"b"}]}}]}""", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hints":{"forZones":[{"name":"a"},{"name":"a"}]}}]}""", "endpoints[0].hints.forZones[1].name: Duplicate value")]
    [TestCase("""{"addressType":"IPv4","ports":[{},{"name":"a"}]}""", """{"addressType":"IPv4","ports":[{},{"port":1}]}""", "ports[1].name: Duplicate value")]
    [TestCase("""{"addressType":"IPv4","ports":[{"name":"a-1"}]}""", """{"addressType":"IPv4","ports":[{"name":"a_1"}]}""", "ports[0].name: Invalid value")]
    [TestCase("""{"addressType":"IPv4","ports":[{"protocol":"SCTP"}]}""", """{"addressType":"IPv4","ports":[{"protocol":"ICMP"}]}""", "ports[0].protocol: Unsupported value")]
    [TestCase("""{"addressType":"IPv4","ports":[{"appProtocol":"kubernetes.io/ws"}]}""", """{"addressType":"IPv4","ports":[{"appProtocol":"/ws"}]}""", "ports[0].appProtocol: Invalid value")]
    public async Task Taken_and_refused(string taken, string refused, string message)
    {
        var (code, made) = await Create(taken);
        code.Should().Be(201, "{0}", made);
        (code, made) = await Create(refused);
        code.Should().Be(422, "{0}", made);
        made["message"].String().Should().Contain(message);
    }

    [TestCase("endpoints", 1000, "Too many: 1001")]
    [TestCase("addresses", 100, "Too many: 101")]
    [TestCase("forZones", 8, "Too many: 9")]
    public async Task Holds_so_many_and_no_more(string list, int most, string message)
    {
        (await Create(Of(most))).Code.Should().Be(201);
        var (code, answer) = await Create(Of(most + 1));
        code.Should().Be(422);
        answer["message"].String().Should().Contain(message);

        string Of(int count)
        {
            var items = Enumerable.Range(1, count);
            var endpoint = (string addresses, string zones) => $$$"""{"addresses":[{{{addresses}}}],"hints":{"forZones":[{{{zones}}}]}}""";
            var endpoints = list switch
            {
                "endpoints" => items.Select(i => endpoint($"\"10.0.{i / 256}.{i % 256}\"", "")),
                "addresses" => [endpoint(string.Join(',', items.Select(i => $"\"10.0.0.{i}\"")), "")],
                _ => [endpoint("\"10.0.0.1\"", string.Join(',', items.Select(i => $$"""{"name":"z{{i}}"}""")))],
            };
            return $$"""{"addressType":"IPv4","endpoints":[{{string.Join(',', endpoints)}}]}""";
        }
    }

    /// <summary>What a client that compares what it wrote with what it reads has to know.</summary>
    [TestCase("""{"addressType":"IPv4"}""", """{"addressType":"IPv4","endpoints":null,"ports":null}""")]
    [TestCase("""{"addressType":"IPv4","endpoints":[],"ports":[]}""", """{"addressType":"IPv4","endpoints":null,"ports":null}""")]
    [TestCase("""{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"zone":"a zone","deprecatedTopology":{"a":"b"}}],"ports":[{"port":80}]}""",
        """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"conditions":{},"zone":"a zone"}],"ports":[{"name":"","port":80,"protocol":"TCP"}]}""")]
    public async Task Reads_back_with_defaults(string written, string read)
    {
        var (code, made) = await Create(written);
        code.Should().Be(201, "{0}", made);
        foreach (var name in (string[])["apiVersion", "kind", "metadata"])
            made.Remove(name);
        JsonNode.DeepEquals(made, JsonNode.Parse(read)).Should().BeTrue("it is {0}", made);
    }

    [Test]
    public async Task Counts_generations_of_its_content_and_labels()
    {
        var (_, made) = await Create("""{"addressType":"IPv4","metadata":{"generateName":"a-","labels":{"a":"b"}}}""");
        made.At("metadata", "name").String().Should().MatchRegex("^a-[a-z0-9]{5}$");
        made.At("metadata", "generation")!.GetValue<int>().Should().Be(1);
        foreach (var (patch, generation) in ((string, int)[])[("""{"metadata":{"annotations":{"a":"b"}}}""", 1), ("""{"metadata":{"labels":{"a":"c"}}}""", 2), ("""{"ports":[{"port":1}]}""", 3), ("""{"ports":[{"port":1}]}""", 3)])
            (await Change(made, patch)).Answer.At("metadata", "generation")!.GetValue<int>().Should().Be(generation, "{0} was written", patch);
    }

    [Test]
    public async Task Keeps_its_address_type()
    {
        var (_, made) = await Create("""{"addressType":"IPv4"}""");
        var (code, answer) = await Change(made, """{"addressType":"IPv6"}""");
        code.Should().Be(422);
        answer["message"].String().Should().Contain("addressType: Invalid value: \"IPv6\": field is immutable");
    }

    [Test]
    public async Task Unknown_fields_are_refused_where_that_is_asked_for()
    {
        var slice = New("discovery.k8s.io/v1", "EndpointSlice", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"ready":true}]}""");
        var (code, answer, _) = await Send("POST", $"{Slices}?fieldValidation=Strict", slice);
        code.Should().Be(400);
        answer["message"].String().Should().Contain("unknown field \"endpoints[0].ready\"");
    }

    private async Task<(int Code, JsonObject Made)> Create(string fields)
    {
        var (code, body, _) = await Send("POST", Slices, New("discovery.k8s.io/v1", "EndpointSlice", fields));
        return (code, body);
    }

    private async Task<(int Code, JsonObject Answer)> Change(JsonObject slice, string patch)
    {
        var (code, body, _) = await Send("PATCH", $"{Slices}/{slice.At("metadata", "name").String()}", JsonNode.Parse(patch), "application/merge-patch+json");
        return (code, body);
    }
}
