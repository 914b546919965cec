using System.Net;
using CsCheck;
using Danm.Api;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Networks;

public sealed class PodInterfacesTests
{
    private static IReadOnlyList<AttachmentRequest> Read(string json) =>
        PodInterfaces.Read(new Dictionary<string, string> { ["danm.io/interfaces"] = json, ["other.io/x"] = "y" }, "ns");

    private static void ShouldFail(string json, string message) =>
        FluentActions.Invoking(() => Read(json)).Should().Throw<NetworkFaultException>().WithMessage(message);

    [Test]
    public void Reads_every_member()
    {
        var requests = Read("""
            [{"network":"a","ip":"dynamic","ip6":"none"},
             {"tenantNetwork":"b","ip":"10.0.0.5","ip6":"fd00::5/64","proutes":{"10.1.0.9/16":"10.0.0.1"},"proutes6":{"fd01::/64":"fd00::1"}},
             {"clusterNetwork":"c.d","ip":"","ip6":null,"network":""}]
            """);

        requests.Select(request => (request.Position, request.Network, request.IPv4, request.IPv6)).Should().Equal(
            (0, new NetworkRef(NetworkKind.DanmNet, "ns", "a"), IPRequest.Dynamic, new IPRequest(IPRequestKind.None)),
            (1, new NetworkRef(NetworkKind.TenantNetwork, "ns", "b"), Static("10.0.0.5"), Static("fd00::5")),
            (2, new NetworkRef(NetworkKind.ClusterNetwork, null, "c.d"), default, default));
        requests[1].PolicyRoutes.Should().Equal(new GatewayRoute(CidrAddress.Parse("10.1.0.0/16"), IPAddress.Parse("10.0.0.1")));
        requests[1].PolicyRoutes6.Should().Equal(new GatewayRoute(CidrAddress.Parse("fd01::/64"), IPAddress.Parse("fd00::1")));
        requests[2].PolicyRoutes.Should().BeEmpty();

        static IPRequest Static(string address) => new(IPRequestKind.Static, IPAddress.Parse(address));
    }

    [TestCase("""[{"NETWORK":"a","Ip":"dynamic"}]""")]
    [TestCase("""[{"Network":"a","IP":"dynamic"}]""")]
    public void Keys_match_without_case(string json) =>
        Read(json).Should().ContainSingle().Which.IPv4.Should().Be(IPRequest.Dynamic);

    [TestCase("null")]
    [TestCase("[]")]
    [TestCase(" [ ] ")]
    public void Null_and_the_empty_list_ask_for_nothing(string json) => Read(json).Should().BeEmpty();

    [Test]
    public void No_annotation_asks_for_nothing()
    {
        PodInterfaces.Read(null, "ns").Should().BeEmpty();
        PodInterfaces.Read(new Dictionary<string, string> { ["danm.io/selector"] = "x", ["x.io/interfaces"] = "y" }, "ns").Should().BeEmpty();
    }

    [TestCase("", "*is not JSON*at byte 0")]
    [TestCase("[{", "*is not JSON*")]
    [TestCase("[{},]", "*danm.io/interfaces?0?: has none of network*")]
    [TestCase("""[{"network":"a"},]""", "*is not JSON*")]
    [TestCase("""[{"network":"a"}] x""", "*is not JSON*")]
    [TestCase("""[{"network":"a"}][]""", "*is not JSON*")]
    [TestCase("""[{"network":"\ud800"}]""", "*is not JSON*")]
    [TestCase("{}", "*must be a JSON list")]
    [TestCase("\"x\"", "*must be a JSON list")]
    [TestCase("[null]", "*danm.io/interfaces?0?: must be a JSON object")]
    [TestCase("[[[[[[]]]]]]", "*must be a JSON object")]
    [TestCase("""[{"network":7}]""", "*?0?.network: must be a text")]
    [TestCase("""[{"network":["a"]}]""", "*?0?.network: must be a text")]
    [TestCase("""[{"network":"a"},{"network":"b","Device":"0000:01:00.0"}]""", "danm.io/interfaces?1?: \"Device\" is not a known key*")]
    [TestCase("""[{"network":"a","SequenceId":1}]""", "danm.io/interfaces?0?: \"SequenceId\" is not a known key*")]
    [TestCase("""[{"network":"a","\u001b[1m":1}]""", "danm.io/interfaces?0?: \"\\u001b*")]
    [TestCase("""[{"network":"a","Network":"b"}]""", "*\"Network\" occurs twice")]
    [TestCase("""[{"network":"a","clusterNetwork":"b"}]""", "*?0?: has more than one of network*")]
    [TestCase("""[{"ip":"dynamic"}]""", "*?0?: has none of network*")]
    [TestCase("""[{"network":"../a"}]""", "*?0?.network: \"../a\" is not a name*")]
    [TestCase("""[{"network":"A"}]""", "*?0?.network: \"A\" is not a name*")]
    [TestCase("""[{"network":"a","ip":"Dynamic"}]""", "*?0?.ip: \"Dynamic\" must be 'dynamic', 'none' or an IPv4 address")]
    [TestCase("""[{"network":"a","ip":"fd00::1"}]""", "*?0?.ip: \"fd00::1\"*")]
    [TestCase("""[{"network":"a","ip":"10.0.0.5/33"}]""", "*?0?.ip: \"10.0.0.5/33\"*")]
    [TestCase("""[{"network":"a","ip6":"10.0.0.5"}]""", "*?0?.ip6: \"10.0.0.5\" must be 'dynamic', 'none' or an IPv6 address")]
    [TestCase("""[{"network":"a","ip6":"::ffff:10.0.0.5"}]""", "*?0?.ip6*")]
    [TestCase("""[{"network":"a","proutes":["x"]}]""", "*?0?.proutes: must be an object*")]
    [TestCase("""[{"network":"a","proutes":{"10.0.0.0/8":7}}]""", "*?0?.proutes?10.0.0.0/8?: must be a text")]
    [TestCase("""[{"network":"a","proutes":{"10.0.0.0/8":"x"}}]""", "*?0?.proutes?10.0.0.0/8?: \"x\" must be an IPv4 address")]
    [TestCase("""[{"network":"a","proutes":{"10.0.0.0/8":"10.0.0.1","10.0.0.0/8":"10.0.0.2"}}]""", "*?0?.proutes: \"10.0.0.0/8\" is the same destination*")]
    [TestCase("""[{"network":"a","proutes6":{"10.0.0.0/8":"10.0.0.1"}}]""", "*?0?.proutes6: \"10.0.0.0/8\" must be an IPv6 subnet*")]
    public void Refuses(string json, string message) => ShouldFail(json, message);

    [Test]
    public void Refuses_what_is_too_deep_too_long_or_too_much()
    {
        ShouldFail(new string('[', 10_000), "*");
        ShouldFail($$"""[{"network":"a","proutes":{"x":{{new string('[', 10_000)}}""", "*");
        ShouldFail(new string(' ', 70_000), "*longer than 65536 bytes");
        ShouldFail($"[{string.Join(',', Enumerable.Repeat("""{"network":"a"}""", 65))}]", "*more than 64 entries");
        ShouldFail($$$"""[{"network":"a","proutes":{ {{{Routes(200)}}} },"proutes6":{ {{{Routes(57)}}} } }]""", "*more than 256 routes");
        ShouldFail($$$"""[{"network":"a","proutes6":{ {{{Routes(57)}}} },"proutes":{ {{{Routes(200)}}} } }]""", "*more than 256 routes");

        static string Routes(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"\"10.0.{i}.0/24\":\"10.0.0.1\""));
    }

    [Test]
    public void Both_prefixes_with_equal_JSON_count_once()
    {
        var requests = PodInterfaces.Read(
            new Dictionary<string, string>
            {
                ["danm.io/interfaces"] = """[{"network":"a","ip":"none"}]""",
                ["danm.k8s.io/interfaces"] = """[ {"ip":"none", "network":"a"} ]""",
            },
            "ns");

        requests.Should().ContainSingle();
        PodInterfaces.Read(new Dictionary<string, string> { ["danm.k8s.io/interfaces"] = """[{"network":"a"}]""" }, "ns").Should().ContainSingle();
    }

    [TestCase("""[{"network":"a"}]""", """[{"network":"b"}]""")]
    [TestCase("""[{"network":"a"}]""", "[]")]
    [TestCase("null", """[{"network":"a"}]""")]
    public void Both_prefixes_with_different_JSON_are_an_error(string current, string legacy) =>
        FluentActions.Invoking(() => PodInterfaces.Read(
                new Dictionary<string, string> { ["danm.io/interfaces"] = current, ["danm.k8s.io/interfaces"] = legacy }, "ns"))
            .Should().Throw<NetworkFaultException>().WithMessage("danm.k8s.io/interfaces: says something else than danm.io/interfaces: remove one of them");

    [TestCase("danm/interfaces")]
    [TestCase("danm.k8s.io.example/interfaces")]
    [TestCase("my-danm.io/interfaces")]
    [TestCase("danm.io/Interfaces")]
    public void A_foreign_key_that_means_us_is_an_error(string key) =>
        FluentActions.Invoking(() => PodInterfaces.Read(new Dictionary<string, string> { [key] = "[]" }, "ns"))
            .Should().Throw<NetworkFaultException>().WithMessage(key + ": is not an annotation of ours*");

    [Test]
    public void Any_text_gives_requests_or_a_fault()
    {
        string[] tokens =
        [
            "[", "]", "{", "}", ",", ":", "\"network\"", "\"clusterNetwork\"", "\"ip\"", "\"proutes\"", "\"a\"", "\"dynamic\"", "\"10.0.0.1\"",
            "\"10.0.0.0/8\"", "null", "7", "\"\\ud800\"", " ", "\u0000", "\ud800", "[{\"network\":\"a\"",
        ];
        var pieces = Gen.Int[0, tokens.Length - 1].Select(index => tokens[index]);
        Gen.OneOf(Gen.String, pieces.Array[0, 12].Select(string.Concat)).Sample(json =>
        {
            try
            {
                _ = Read(json);
            }
            catch (NetworkFaultException exception)
            {
                exception.Faults.Should().NotBeEmpty();
                exception.Message.Should().NotContainAny("\n", "\u0000", "\u001b");
            }
        });
    }
}
