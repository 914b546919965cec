using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Which Endpoints are taken and what becomes of them, on an embedded or real server.</summary>
public sealed class EndpointsTests : ClusterFixture
{
    private const string Path = "/api/v1/namespaces/default/endpoints";

    [TestCase("""[]""", """[{}]""", "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`")]
    [TestCase("""[{"notReadyAddresses":[{"ip":"10.0.0.1"}]}]""", """[{"ports":[{"port":1}]}]""", "subsets[0]: Required value")]
    [TestCase("""[{"addresses":[{"ip":"fd00::1"},{"ip":"10.0.0.1"}]}]""", """[{"addresses":[{"ip":"fd00::1/64"}]}]""", "subsets[0].addresses[0].ip: Invalid value")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1"}]}]""", """[{"addresses":[{}]}]""", "subsets[0].addresses[0].ip: Invalid value")]
    [TestCase("""[{"addresses":[{"ip":"169.253.0.1"}]}]""", """[{"addresses":[{"ip":"169.254.0.1"}]}]""", "link-local range")]
    [TestCase("""[{"notReadyAddresses":[{"ip":"128.0.0.1"}]}]""", """[{"notReadyAddresses":[{"ip":"127.0.0.1"}]}]""", "subsets[0].notReadyAddresses[0].ip: Invalid value")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1","hostname":""}]}]""", """[{"addresses":[{"ip":"10.0.0.1","hostname":"A"}]}]""", "subsets[0].addresses[0].hostname: Invalid value")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1","nodeName":"n.example"}]}]""", """[{"addresses":[{"ip":"10.0.0.1","nodeName":""}]}]""", "subsets[0].addresses[0].nodeName: Invalid value")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":1}]}]""", """[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":1},{"name":"b","port":2}]}]""", "subsets[0].ports[0].name: Required value")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":65535}]}]""", """[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"name":"a"}]}]""", "subsets[0].ports[0].port: Invalid value: 0")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":1,"protocol":"UDP"}]}]""", """[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":1,"protocol":"udp"}]}]""", "subsets[0].ports[0].protocol: Unsupported value")]
    public async Task Taken_and_refused(string taken, string refused, string message)
    {
        var (code, made) = await Create(taken);
        code.Should().Be(201, "{0}", made);
        (code, made) = await Create(refused);
        code.Should().Be(422, "{0}", made);
        made["message"].String().Should().Contain(message);
    }

    /// <summary>A real server puts every object into one form of its own.</summary>
    [TestCase("""[{"addresses":[{"ip":"10.0.0.3"},{"ip":"10.0.0.20"},{"ip":"10.0.0.3"}],"ports":[{"port":1}]}]""",
        """[{"addresses":[{"ip":"10.0.0.20"},{"ip":"10.0.0.3"}],"ports":[{"port":1,"protocol":"TCP"}]}]""")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":1}]},{"addresses":[{"ip":"10.0.0.2"}],"ports":[{"port":1}]}]""",
        """[{"addresses":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}],"ports":[{"port":1,"protocol":"TCP"}]}]""")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1"}]},{"notReadyAddresses":[{"ip":"10.0.0.1"}]}]""", """[{"notReadyAddresses":[{"ip":"10.0.0.1"}]}]""")]
    [TestCase("""[{"addresses":[{"ip":"10.0.0.1","targetRef":{"kind":"Pod","uid":"b"}},{"ip":"10.0.0.1","targetRef":{"kind":"Pod","uid":"a"}}],"notReadyAddresses":[]}]""",
        """[{"addresses":[{"ip":"10.0.0.1","targetRef":{"kind":"Pod","uid":"a"}},{"ip":"10.0.0.1","targetRef":{"kind":"Pod","uid":"b"}}]}]""")]
    public async Task Is_stored_in_one_form(string written, string read)
    {
        var (_, made) = await Create(written);
        JsonNode.DeepEquals(made["subsets"], JsonNode.Parse(read)).Should().BeTrue("it is {0}", made["subsets"]);
    }

    [Test]
    public async Task Ports_and_subsets_come_back_in_an_order_of_the_servers()
    {
        var ports = Enumerable.Range(1, 6).Select(i => $$"""{"name":"p{{i}}","port":{{i}}}""").ToArray();
        var (_, one) = await Create($$"""[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{{string.Join(',', ports)}}]}]""");
        var (_, other) = await Create($$"""[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{{string.Join(',', ports.Reverse())}}]}]""");
        JsonNode.DeepEquals(one["subsets"], other["subsets"]).Should().BeTrue();
        one["subsets"]![0]!["ports"]!.AsArray().Select(p => p.At("name").String()).Should().BeEquivalentTo("p1", "p2", "p3", "p4", "p5", "p6")
            .And.NotBeInAscendingOrder().And.NotBeInDescendingOrder();
    }

    private async Task<(int Code, JsonObject Made)> Create(string subsets)
    {
        var (code, body, _) = await Send("POST", Path, New("v1", "Endpoints", $$"""{"subsets":{{subsets}}}"""));
        return (code, body);
    }
}
