using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;

namespace Danm.Tests.Api;

public sealed class ApiJsonTests
{
    private static Network ReadNetwork(string json) => JsonSerializer.Deserialize(json, ApiJson.Default.Network)!;

    [Test]
    public void Reads_every_member_of_a_network()
    {
        var network = ReadNetwork("""
            {"apiVersion":"danm.io/v1","kind":"ClusterNetwork","metadata":{"name":"ext","uid":"u1","labels":{"a":"b"}},
             "spec":{"NetworkID":"ext","NetworkType":"macvlan","AllowedTenants":["a","b"],"Options":{
               "host_device":"ens4","device_pool":"v.io/p","vxlan":600,"vlan":500,"container_prefix":"ext","rt_tables":4294967295,"mtu":9000,
               "cidr":"10.0.0.0/24","routes":{"10.1.0.0/16":"10.0.0.1"},"allocation_pool":{"start":"10.0.0.2","end":"10.0.0.9","lastIp":"10.0.0.7/24"},"alloc":"gQ==",
               "net6":"fd00::/64","routes6":{"fd01::/64":"fd00::1"},"allocation_pool_v6":{"start":"fd00::2","end":"fd00::9","cidr":"fd00::/105","lastIp":"x"},"alloc6":"kA=="}}}
            """);

        network.Ref.Should().Be(new NetworkRef(NetworkKind.ClusterNetwork, null, "ext"));
        network.Spec.Should().BeEquivalentTo(new NetworkSpec
        {
            NetworkId = "ext",
            NetworkType = "macvlan",
            AllowedTenants = ["a", "b"],
            Options = new NetworkOptions
            {
                HostDevice = "ens4",
                DevicePool = "v.io/p",
                Vxlan = 600,
                Vlan = 500,
                ContainerPrefix = "ext",
                RoutingTable = uint.MaxValue,
                Mtu = 9000,
                Cidr = "10.0.0.0/24",
                Routes = new() { ["10.1.0.0/16"] = "10.0.0.1" },
                AllocationPool = new AllocationPool { Start = "10.0.0.2", End = "10.0.0.9", LastIp = "10.0.0.7/24" },
                Alloc = "gQ==",
                Net6 = "fd00::/64",
                Routes6 = new() { ["fd01::/64"] = "fd00::1" },
                AllocationPoolV6 = new AllocationPoolV6 { Start = "fd00::2", End = "fd00::9", Cidr = "fd00::/105", LastIp = "x" },
                Alloc6 = "kA==",
            },
        });
    }

    [TestCase("""{"kind":"DanmNet"}""")]
    [TestCase("""{"kind":"DanmNet","metadata":null,"spec":null}""")]
    [TestCase("""{"kind":"DanmNet","metadata":{"labels":null,"managedFields":[{"x":[[1]]}]},"spec":{"Options":null,"AllowedTenants":null}}""")]
    [TestCase("""{"kind":"DanmNet","status":{"x":1},"spec":{"unknown":[{}],"Options":{"vlan":null,"rt_tables":null,"routes":null,"allocation_pool":null}}}""")]
    [TestCase("""{"kind":"DanmNet","spec":{"NetworkID":"","NetworkType":"","Options":{"cidr":"","allocation_pool":{"start":"","end":"","lastIp":""}}}}""")]
    public void Reads_empty_null_absent_and_unknown_members(string json)
    {
        var network = ReadNetwork(json);

        network.Kind.Should().Be(NetworkKind.DanmNet);
        network.Metadata.Should().NotBeNull();
        network.Spec.Options.Should().NotBeNull();
    }

    [TestCase("""{"kind":"Pod"}""")]
    [TestCase("""{"kind":7}""")]
    [TestCase("[]")]
    [TestCase("")]
    [TestCase("""{"spec":"x"}""")]
    [TestCase("""{"spec":{"Options":{"vlan":"5"}}}""")]
    [TestCase("""{"spec":{"Options":{"vlan":2147483648}}}""")]
    [TestCase("""{"spec":{"Options":{"rt_tables":-1}}}""")]
    [TestCase("""{"spec":{"Options":{"rt_tables":4294967296}}}""")]
    [TestCase("""{"spec":{"Options":{"routes":["x"]}}}""")]
    [TestCase("""{"spec":{"Options":{"cidr":{"a":1}}}}""")]
    public void Refuses_wrong_types_and_numbers_out_of_range(string json) =>
        FluentActions.Invoking(() => ReadNetwork(json)).Should().Throw<JsonException>();

    [Test]
    public void Refuses_json_10000_levels_deep_even_where_nobody_looks() =>
        FluentActions.Invoking(() => ReadNetwork($$"""{"status":{{new string('[', 10_000)}}{{new string(']', 10_000)}}}""")).Should().Throw<JsonException>();

    [Test]
    public void A_DanmEp_of_the_original_round_trips_except_for_nulls()
    {
        const string json = """
            {"apiVersion":"danm.io/v1","kind":"DanmEp","metadata":{"name":"e1","namespace":"ns","labels":{"app":"x"}},
             "spec":{"NetworkName":"n","NetworkType":"ipvlan","EndpointID":"e1","Interface":{"Name":"eth0","Address":"10.0.0.5/24","AddressIPv6":"none",
             "MacAddress":"","proutes":{"10.1.0.0/16":"10.0.0.1"}},"Host":"h","Pod":"p","PodUID":"u","CID":"c","netns":"/proc/1/ns/net","apiType":""}}
            """;

        var endpoint = JsonSerializer.Deserialize(json.Replace("\"proutes\"", "\"proutes6\":null,\"proutes\"", StringComparison.Ordinal), ApiJson.Default.DanmEp)!;

        JsonNode.DeepEquals(JsonNode.Parse(JsonSerializer.Serialize(endpoint, ApiJson.Default.DanmEp)), JsonNode.Parse(json)).Should().BeTrue();
        NetworkKinds.TryParse(endpoint.Spec.ApiType, out var kind).Should().BeTrue();
        kind.Should().Be(NetworkKind.DanmNet);
    }

    [Test]
    public void Writes_an_allocation_without_what_it_does_not_hold()
    {
        var allocation = new IPAllocation
        {
            Metadata = new ObjectMeta { Name = "10-0-0-5.untagged.ens4" },
            Spec = new IPAllocationSpec
            {
                Network = new NetworkRef(NetworkKind.ClusterNetwork, null, "n"),
                Address = "10.0.0.5/24",
                Owner = new IPAllocationOwner { Namespace = "ns", Pod = "p", PodUid = "u", ContainerId = "c", Interface = "eth0", DanmEp = "e" },
                NodeName = "node",
            },
        };

        var json = JsonSerializer.Serialize(allocation, ApiJson.Default.IPAllocation);

        json.Should().Be("""{"apiVersion":"danm.io/v1","kind":"IPAllocation","metadata":{"name":"10-0-0-5.untagged.ens4"},"spec":{"network":{"kind":"ClusterNetwork","name":"n"},"address":"10.0.0.5/24","owner":{"namespace":"ns","pod":"p","podUID":"u","containerID":"c","interface":"eth0","danmEp":"e"},"nodeName":"node"}}""");
        JsonSerializer.Deserialize(json, ApiJson.Default.IPAllocation).Should().BeEquivalentTo(allocation);
    }

    [Test]
    public void Reads_a_page_of_a_list()
    {
        var list = JsonSerializer.Deserialize(
            """{"kind":"DanmEpList","metadata":{"resourceVersion":"7","continue":"abc","remainingItemCount":3},"items":[{"metadata":{"name":"a"}}]}""",
            ApiJson.Default.ObjectListDanmEp)!;

        list.Metadata.Should().BeEquivalentTo(new ListMeta { ResourceVersion = "7", Continue = "abc", RemainingItemCount = 3 });
        list.Items.Should().ContainSingle().Which.Metadata.Name.Should().Be("a");
        JsonSerializer.Deserialize("""{"items":null}""", ApiJson.Default.ObjectListDanmEp)!.Items.Should().BeEmpty();
    }

    [Test]
    public void Reads_a_status_with_causes()
    {
        var status = JsonSerializer.Deserialize(
            """{"status":"Failure","message":"no","reason":"Invalid","code":422,"details":{"name":"x","retryAfterSeconds":2,"causes":[{"reason":"FieldValueInvalid","message":"m","field":"spec.a"}]}}""",
            ApiJson.Default.Status)!;

        status.Outcome.Should().Be("Failure");
        status.Code.Should().Be(422);
        status.Details!.RetryAfterSeconds.Should().Be(2);
        status.Details.Causes.Should().ContainSingle().Which.Field.Should().Be("spec.a");
    }

    [Test]
    public void Reads_a_Pod_and_its_PartialObjectMetadata()
    {
        const string pod = """{"kind":"Pod","metadata":{"name":"p","namespace":"ns","uid":"u","annotations":{"a":"b"},"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"nodeName":"n","containers":[{"name":"c"}]}}""";

        var whole = JsonSerializer.Deserialize(pod, ApiJson.Default.Pod)!;
        var partial = JsonSerializer.Deserialize("""{"kind":"PartialObjectMetadata","metadata":{"name":"p"}}""", ApiJson.Default.Pod)!;

        whole.Spec.NodeName.Should().Be("n");
        whole.Metadata.DeletionTimestamp.Should().Be("2026-01-01T00:00:00Z");
        partial.Spec.NodeName.Should().BeNull();
    }

    [Test]
    public void Writes_delete_options_with_a_precondition() =>
        JsonSerializer.Serialize(new DeleteOptions { Preconditions = new Preconditions { Uid = "u" } }, ApiJson.Default.DeleteOptions)
            .Should().Be("""{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u"}}""");

    [Test]
    public void Reads_a_TenantConfig_with_the_originals_empty_members()
    {
        var config = JsonSerializer.Deserialize(
            """{"kind":"TenantConfig","metadata":{"name":"t"},"hostDevices":[{"name":"ens4","vniType":"","vniRange":"","alloc":""}],"networkIds":{"flannel":"flannel"}}""",
            TenantJson.Default.TenantConfig)!;

        config.HostDevices.Should().ContainSingle().Which.VniType.Should().BeEmpty();
        config.NetworkIds.Should().Contain("flannel", "flannel");
    }
}
