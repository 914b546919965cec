using System.Text.Json;
using Danm.Api;
using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Tests.Networks.Admission;

public sealed class TenantProfilesTests
{
    private const string Config = """
        {"metadata":{"name":"tenants"},
        "hostDevices":[{"name":"ens4","vniType":"vxlan","vniRange":"700-710"},{"name":"ens5","vniType":"vlan","vniRange":"200"},{"name":"ens6","vniType":"","vniRange":""},
        {"name":"nokia.io/a","vniType":"vlan","vniRange":"500-550"},{"name":"ens4","vniType":"vlan","vniRange":"1"},{"name":"nokia.io/b"}],
        "networkIds":{"IPvlan":"ipv","bridge":"internal","Bridge":"upper"}}
        """;

    [TestCase("ipvlan", "ens4", null, "ipv", "ens4", null, "vxlan 700-710 on ens4", TestName = "The first entry of the name counts")]
    [TestCase("", "ens5", "", "ipv", "ens5", null, "vlan 200 on ens5", TestName = "An empty type is ipvlan")]
    [TestCase("MACVLAN", "ens6", null, null, "ens6", null, null, TestName = "No vniType, no VNI")]
    [TestCase("sriov", null, "nokia.io/a", null, null, "nokia.io/a", "vlan 500-550 on nokia.io/a", TestName = "A device pool with VNIs")]
    [TestCase("sriov", null, "nokia.io/b", null, null, "nokia.io/b", null, TestName = "A device pool without")]
    [TestCase("bridge", "eth9", null, "internal", null, null, null, TestName = "A static type gets a NetworkID only, the exact spelling first")]
    [TestCase("BRIDGE", null, null, "upper", null, null, null, TestName = "A static type without case, in ordinal order")]
    [TestCase("flannel", null, null, null, null, null, null, TestName = "A static type that nothing is said of")]
    public void What_is_asked_for_is_granted(string type, string? device, string? pool, string? id, string? grantedDevice, string? grantedPool, string? vnis)
    {
        var faults = new List<NetworkFault>();
        var grant = TenantProfiles.Choose(Parse(Config), Ask(type, device, pool), new Random(1), faults).Should().ContainSingle().Subject;

        faults.Should().BeEmpty();
        (grant.NetworkId, grant.HostDevice, grant.DevicePool).Should().Be((id, grantedDevice, grantedPool));
        (grant.Vnis is { } v ? $"{(v.Encapsulation == Encapsulation.Vlan ? "vlan" : "vxlan")} {v.Ranges} on {v.Device}" : null).Should().Be(vnis);
    }

    [TestCase("ipvlan", "eth9", null, "spec.Options.host_device: \"eth9\" is not for tenants: the TenantConfig \"tenants\" allows \"ens4\", \"ens5\", \"ens6\"")]
    [TestCase("ipvlan", "nokia.io/a", null, "spec.Options.host_device: \"nokia.io/a\" is not for tenants*", TestName = "A pool is no host device")]
    [TestCase("sriov", null, "ens4", "spec.Options.device_pool: \"ens4\" is not for tenants: the TenantConfig \"tenants\" allows \"nokia.io/a\", \"nokia.io/b\"", TestName = "A host device is no pool")]
    [TestCase("ipvlan", "ENS4", null, "spec.Options.host_device: \"ENS4\" is not for tenants*", TestName = "Devices are told apart by case")]
    [TestCase("ipvlan", "\u001b[1m", null, "spec.Options.host_device: \"\\u001b[1m\" is not for tenants*")]
    public void What_is_not_listed_is_denied_with_what_is(string type, string? device, string? pool, string message) =>
        Denied(Config, Ask(type, device, pool)).Should().Match(message);

    [Test]
    public void Without_a_choice_it_is_any_sound_host_device()
    {
        var config = Parse("""
            {"hostDevices":[{"name":"a"},{"name":"x/pool"},{"name":"b","vniType":"vlan","vniRange":"1"},{"name":"broken","vniType":"vlan","vniRange":"9-1"},{"name":""},{"name":"c"}]}
            """);
        config.HostDevices!.Add(null!);

        var choices = Enumerable.Range(0, 300).Select(seed => TenantProfiles.Choose(config, Ask("ipvlan", null, null), new Random(seed), []).Select(grant => grant.HostDevice).ToList()).ToList();

        choices.Should().OnlyContain(choice => choice.Count == 3 && choice.Order().SequenceEqual(new[] { "a", "b", "c" }), "whichever comes first, the others may follow");
        choices.Select(choice => choice[0]).Distinct().Should().BeEquivalentTo("a", "b", "c");
    }

    [Test]
    public void Of_two_sound_entries_of_one_name_the_first_counts_without_a_choice_too()
    {
        var config = Parse("""{"hostDevices":[{"name":"a","vniType":"vlan","vniRange":"1"},{"name":"a","vniType":"vlan","vniRange":"2"}]}""");

        TenantProfiles.Choose(config, Ask("ipvlan", null, null), new Random(1), []).Should().ContainSingle().Which.Vnis!.Ranges.All.Should().Equal(1);
    }

    [TestCase("""{"metadata":{"name":"tenants"},"networkIds":{"ipvlan":"a"}}""", "spec.Options.host_device: is missing, and the TenantConfig \"tenants\" has no host device to choose from")]
    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"nokia.io/a"}]}""", "*has no host device to choose from; device_pool may be \"nokia.io/a\"")]
    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"9-1"}]}""", "TenantConfig/tenants hostDevices[0].vniRange: \"9-1\" must *")]
    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"../etc"}]}""", "*has no host device to choose from*")]
    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"e 4"}]}""", "TenantConfig/tenants hostDevices[0].name: \"e 4\" is no interface name*")]
    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"ens4"}],"networkIds":{"ipvlan":"../x"}}""", "TenantConfig/tenants networkIds[ipvlan]: \"../x\" is no NetworkID*")]
    public void Nothing_suitable_is_denied(string config, string message) => Denied(config, Ask("ipvlan", null, null)).Should().Match(message);

    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"ens4"},{"name":"ens5","vniType":"vlam","vniRange":"1"}]}""", "TenantConfig/tenants hostDevices[1].vniType: \"vlam\"*")]
    [TestCase("""{"metadata":{"name":"tenants"},"hostDevices":[{"name":"ens5","vniType":"vlan"}]}""", "TenantConfig/tenants hostDevices[0].vniRange: is missing*")]
    public void A_broken_entry_that_was_asked_for_is_named(string config, string message) => Denied(config, Ask("ipvlan", "ens5", null)).Should().Match(message);

    [Test]
    public void A_long_list_is_cut()
    {
        var config = new TenantConfig { HostDevices = [.. Enumerable.Range(0, 256).Select(index => new TenantHostDevice { Name = $"e{index}" })] };
        var faults = new List<NetworkFault>();

        TenantProfiles.Choose(config, Ask("ipvlan", "no", null), new Random(1), faults).Should().BeEmpty();
        faults.Should().ContainSingle().Which.Message.Should().EndWith("\"e8\", \"e9\" and 246 more");
    }

    [Test]
    public void Faults_that_were_there_before_deny_nothing()
    {
        List<NetworkFault> faults = [new("x", null, "y")];
        TenantProfiles.Choose(Parse(Config), Ask("ipvlan", "ens4", null), new Random(1), faults).Should().ContainSingle();
    }

    private static string Denied(string config, Network asked)
    {
        var faults = new List<NetworkFault>();
        TenantProfiles.Choose(Parse(config), asked, new Random(1), faults).Should().BeEmpty();
        return faults.Should().ContainSingle().Subject.ToString();
    }

    private static TenantConfig Parse(string json) => JsonSerializer.Deserialize(json, TenantJson.Default.TenantConfig)!;

    private static Network Ask(string type, string? device, string? pool) => new()
    {
        Kind = NetworkKind.TenantNetwork,
        Metadata = new ObjectMeta { Name = "t", Namespace = "ns" },
        Spec = new NetworkSpec { NetworkType = type, Options = new NetworkOptions { HostDevice = device, DevicePool = pool } },
    };
}
