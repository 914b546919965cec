using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Netwatcher;

namespace Danm.Tests.Netwatcher;

[TestFixture]
public sealed class NetworkStatusTests
{
    [Test]
    public void Eth0_comes_first_then_the_others_in_the_order_of_their_numbers()
    {
        var status = Update(null, Endpoint("eth10", "10.0.0.10/24"), Endpoint("eth2", "10.0.0.2/24", "fd00::2/64"), Endpoint("eth0", "10.0.0.1/24"))!;

        status.Select(s => (string)s!["interface"]!).Should().Equal("eth0", "eth2", "eth10");
        status[0]!["default"]!.GetValue<bool>().Should().BeTrue();
        status[1]!["ips"]!.ToJsonString().Should().Be("""["10.0.0.2","fd00::2"]""");
        status[1]!["name"]!.ToString().Should().Be("ran/radio");
        status[1]!["mac"]!.ToString().Should().Be("02:00:00:00:00:02");
    }

    [TestCase("none")]
    [TestCase("dynamic")]
    [TestCase("")]
    [TestCase("no address/24")]
    public void What_is_no_address_is_left_out(string text) =>
        Update(null, Endpoint("eth0", text))![0]!.AsObject().ContainsKey("ips").Should().BeFalse();

    [Test]
    public void An_address_without_prefix_length_counts() => Update(null, Endpoint("eth0", "10.0.0.1"))![0]!["ips"]!.ToJsonString().Should().Be("""["10.0.0.1"]""");

    [Test]
    public void A_ClusterNetwork_has_no_namespace() =>
        Update(null, Endpoint("eth0", "10.0.0.1/24", apiType: "ClusterNetwork"))![0]!["name"]!.ToString().Should().Be("radio");

    [Test]
    public void Entries_of_others_stay_as_they_are_and_keep_the_default()
    {
        const string Theirs = """{"name":"cbr0","interface":"eth0","ips":["10.9.0.9"],"default":true,"more":[1]}""";
        var status = Update($"[{Theirs}]", Endpoint("net1", "10.0.0.1/24"))!;

        status[0]!.ToJsonString().Should().Be(Theirs);
        status[1]!.AsObject().ContainsKey("default").Should().BeFalse();
    }

    [Test]
    public void What_is_as_it_must_be_is_not_written()
    {
        var once = Update(null, Endpoint("eth0", "10.0.0.1/24"))!.ToJsonString();
        Update(once, Endpoint("eth0", "10.0.0.1/24")).Should().BeNull();
        Update(once, Endpoint("eth0", "10.0.0.2/24")).Should().NotBeNull();
        Update(once).Should().BeNull("nothing of ours is to be said");
    }

    [TestCase("no JSON")]
    [TestCase("{}")]
    [TestCase("[1,null,\"x\"]")]
    [TestCase("""[{"interface":"a","interface":"b"}]""")]
    [TestCase("""[{"interface":7}]""")]
    public void What_somebody_wrote_there_breaks_nothing(string annotation) => Update(annotation, Endpoint("eth0", "10.0.0.1/24"))!.ToJsonString().Should().Contain("10.0.0.1");

    private static JsonArray? Update(string? present, params DanmEp[] endpoints) =>
        NetworkStatus.Update(present, endpoints, e => $"02:00:00:00:00:0{e.Spec.Interface.Name[^1]}") is { } text ? JsonNode.Parse(text)!.AsArray() : null;

    private static DanmEp Endpoint(string name, string address, string address6 = "", string apiType = "DanmNet") => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "ran" },
        Spec = new DanmEpSpec { NetworkName = "radio", ApiType = apiType, Interface = new DanmEpInterface { Name = name, Address = address, AddressIPv6 = address6 } },
    };
}
