using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.Tenants;

namespace Danm.Tests.Tenants;

/// <summary>Which ids a TenantNetwork may have that cannot be read.</summary>
public sealed class UnreadableNetworkTests
{
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":500,"mtu":"big"}}}""", true)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":501,"mtu":"big"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens5","vlan":500,"mtu":"big"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vxlan":500,"mtu":"big"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","mtu":"big"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":null,"mtu":"big"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"vlan":500,"mtu":"big"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":"500"}}}""", true)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":"501"}}}""", false)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":"some"}}}""", true)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":5e2}}}""", true)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens4","vlan":[501]}}}""", true)]
    [TestCase("""{"spec":{"Options":{"host_device":["ens5"],"vlan":500}}}""", true)]
    [TestCase("""{"spec":{"Options":{"host_device":"ens5","device_pool":"ens4","vlan":500,"mtu":"big"}}}""", true)]
    [TestCase("""{"spec":{"options":{"Host_Device":"ens4","VLAN":500,"mtu":"big"}}}""", true)]
    [TestCase("""{"spec":{"Options":"none"}}""", true)]
    [TestCase("""{"spec":7}""", true)]
    [TestCase("""{"spec":{"NetworkID":5}}""", false)]
    [TestCase("[]", true)]
    public void It_may_have_what_it_cannot_be_told_not_to_have(string stored, bool mayHave)
    {
        var network = new UnreadableNetwork(UnreadableObject.Of(JsonElement.Parse(stored), new JsonException()));

        network.MayHave(new Vni("ens4", Encapsulation.Vlan, 500)).Should().Be(mayHave);
    }

    [Test]
    public void Its_fault_names_the_member_and_no_control_character()
    {
        var stored = JsonElement.Parse("""{"metadata":{"name":"a"},"spec":{"Options":{"routes":{"\u001b[1m":5}}}}""");
        var read = () => stored.Deserialize(ApiJson.Default.Network);
        var cause = read.Should().Throw<JsonException>().Which;

        UnreadableObject.Of(stored, cause).Fault.Should().StartWith("spec.Options.routes").And.EndWith(" has the wrong type, or a number out of range").And.NotContain("\u001b");
    }
}
