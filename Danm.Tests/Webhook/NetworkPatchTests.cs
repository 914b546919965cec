using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Webhook;
using Danm.Tests.ApiServer.Patches;

namespace Danm.Tests.Webhook;

public sealed class NetworkPatchTests
{
    [TestCase("""{"spec":{"NetworkID":"a"}}""", """[{"op":"add","path":"/spec/NetworkType","value":"ipvlan"}]""")]
    [TestCase("""{"spec":{"NetworkType":""}}""", """[{"op":"replace","path":"/spec/NetworkType","value":"ipvlan"}]""")]
    [TestCase("""{"spec":{"NetworkType":null}}""", """[{"op":"replace","path":"/spec/NetworkType","value":"ipvlan"}]""")]
    [TestCase("""{"metadata":{"name":"x"}}""", """[{"op":"add","path":"/spec","value":{}},{"op":"add","path":"/spec/NetworkType","value":"ipvlan"}]""")]
    public void Makes_what_is_missing_and_replaces_what_is_there(string stored, string patch) => Patch(stored, n => n.Spec.NetworkType = "ipvlan").Should().Be(patch);

    [Test]
    public void Nothing_changed_is_no_patch() => Patch("""{"spec":{"NetworkType":"macvlan","Options":{"vlan":5}}}""", _ => { }).Should().BeNull();

    [Test]
    public void What_is_gone_is_removed() =>
        Patch("""{"spec":{"Options":{"allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"},"allocation_pool_v6":null}}}""", n => n.Spec.Options.AllocationPool = null).Should().Be(
            """[{"op":"remove","path":"/spec/Options/allocation_pool/start"},{"op":"remove","path":"/spec/Options/allocation_pool/end"}]""");

    [Test]
    public void Members_that_nobody_knows_and_the_originals_state_stay_out_of_it()
    {
        const string Stored = """{"spec":{"NetworkType":"ipvlan","Options":{"future":1,"alloc":"gAE=","allocation_pool":{"start":"","lastIp":"10.0.0.7/24"}}}}""";

        Patch(Stored, n => (n.Spec.Options.AllocationPool!.Start, n.Spec.Options.AllocationPool.End) = ("10.0.0.1", "10.0.0.254")).Should().Be(
            """[{"op":"replace","path":"/spec/Options/allocation_pool/start","value":"10.0.0.1"},{"op":"add","path":"/spec/Options/allocation_pool/end","value":"10.0.0.254"}]""");
    }

    [Test]
    public void A_tenants_network_gets_device_id_and_pools_in_one_patch_that_applies()
    {
        const string Stored = """{"spec":{"NetworkID":"mine"}}""";
        var patch = Patch(Stored, n =>
        {
            (n.Spec.NetworkType, n.Spec.NetworkId) = ("ipvlan", "theirs");
            (n.Spec.Options.HostDevice, n.Spec.Options.Vxlan) = ("ens4", 600);
            n.Spec.Options.AllocationPool = new AllocationPool { Start = "10.0.0.1", End = "10.0.0.2" };
            n.Spec.Options.AllocationPoolV6 = new AllocationPoolV6 { Start = "fd00::1", End = "fd00::2", Cidr = "fd00::/64" };
        })!;

        var node = JsonPatch.Apply((JsonObject)JsonNode.Parse(Stored)!, (JsonArray)JsonNode.Parse(patch)!);

        JsonNode.DeepEquals(node, JsonNode.Parse(
            """
            {"spec":{"NetworkID":"theirs","NetworkType":"ipvlan","Options":{"host_device":"ens4","vxlan":600,
            "allocation_pool":{"start":"10.0.0.1","end":"10.0.0.2"},"allocation_pool_v6":{"start":"fd00::1","end":"fd00::2","cidr":"fd00::/64"}}}}
            """)).Should().BeTrue(node.ToJsonString());
    }

    private static string? Patch(string stored, Action<Network> change)
    {
        var element = JsonElement.Parse(stored);
        var (before, after) = (element.Deserialize(ApiJson.Default.Network)!, element.Deserialize(ApiJson.Default.Network)!);
        change(after);
        return NetworkPatch.Of(element, before, after) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes) : null;
    }
}
