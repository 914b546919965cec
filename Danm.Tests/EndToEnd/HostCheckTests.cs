using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>CHECK of a Pod that delegates attached names what is not as ADD left it, and asks each delegate.</summary>
public sealed class HostCheckTests : HostFixture
{
    private const string Network = """
        {"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd01::/64","rt_tables":100,
         "routes":{"10.99.0.0/16":"10.1.0.254"},"routes6":{"fd99::/64":"fd01::fe"}}}
        """;

    private const string Interfaces = """
        [{"network":"mv","ip":"10.1.0.5","ip6":"fd01::5","proutes":{"10.98.0.0/16":"10.1.0.1"},"proutes6":{"fd98::/64":"fd01::1"}}]
        """;

    // Removed or changed by hand inside the Pod; what CHECK says of it, and whether the plugin's own CHECK sees it too.
    private static readonly TestCaseData[] InThePod =
    [
        Row("the interface removed", "ip link delete eth0", "interface \"eth0\" (DanmNet/default/mv) is missing", plugin: true),
        Row("the interface renamed", "ip link set eth0 down; ip link set eth0 name eth7", "interface \"eth0\" (DanmNet/default/mv) is missing", plugin: true),
        Row("the interface down", "ip link set eth0 down", "interface \"eth0\" is down", plugin: true),
        Row("another hardware address", "ip link set eth0 address 02:00:00:00:00:99", "interface \"eth0\" has the hardware address 02:00:00:00:00:99, not ", plugin: true),
        Row("another interface in its place", "ip link delete eth0; ip link add eth0 type bridge; ip link set eth0 up", "interface \"eth0\" has the hardware address", plugin: true),
        Row("an IPv4 address removed", "ip address delete 10.1.0.5/24 dev eth0", "address 10.1.0.5/24 of interface \"eth0\" is missing", plugin: true),
        Row("an IPv4 address changed", "ip address delete 10.1.0.5/24 dev eth0; ip address add 10.1.0.6/24 dev eth0", "address 10.1.0.5/24 of interface \"eth0\" is missing", plugin: true),
        Row("an IPv4 prefix changed", "ip address add 10.1.0.5/16 dev eth0; ip address delete 10.1.0.5/24 dev eth0", "address 10.1.0.5/24 of interface \"eth0\" is missing", plugin: true),
        Row("an IPv6 address removed", "ip address delete fd01::5/64 dev eth0", "address fd01::5/64 of interface \"eth0\" is missing", plugin: true),
        Row("a route removed", "ip route delete 10.99.0.0/16", "route 10.99.0.0/16 via 10.1.0.254 in table 254 of interface \"eth0\" is missing"),
        Row("a route changed", "ip route replace 10.99.0.0/16 via 10.1.0.253", "route 10.99.0.0/16 via 10.1.0.254 in table 254 of interface \"eth0\" is missing"),
        Row("an IPv6 route removed", "ip -6 route delete fd99::/64", "route fd99::/64 via fd01::fe in table 254 of interface \"eth0\" is missing"),
        Row("a policy route removed", "ip route delete 10.98.0.0/16 table 100", "route 10.98.0.0/16 via 10.1.0.1 in table 100 of interface \"eth0\" is missing"),
        Row("a policy route in another table", "ip route delete 10.98.0.0/16 table 100; ip route add 10.98.0.0/16 via 10.1.0.1 table 101", "route 10.98.0.0/16 via 10.1.0.1 in table 100 of interface \"eth0\" is missing"),
        Row("an IPv6 policy route removed", "ip -6 route delete fd98::/64 table 100", "route fd98::/64 via fd01::1 in table 100 of interface \"eth0\" is missing"),
        Row("a rule removed", "ip rule delete lookup 100", "rule from 10.1.0.5/32 to table 100 is missing"),
        Row("a rule to another table", "ip rule delete lookup 100; ip rule add from 10.1.0.5 lookup 101", "rule from 10.1.0.5/32 to table 100 is missing"),
        Row("a rule from another address", "ip rule delete lookup 100; ip rule add from 10.1.0.6 lookup 100", "rule from 10.1.0.5/32 to table 100 is missing"),
        Row("an IPv6 rule removed", "ip -6 rule delete lookup 100", "rule from fd01::5/128 to table 100 is missing"),
    ];

    // Changed in the API.
    private static readonly TestCaseData[] InTheApi =
    [
        Row("the DanmEp removed", "DanmEp", null, "DanmEp ", " is missing"),
        Row("the DanmEp's address changed", "DanmEp", o => o["spec"]!["Interface"]!["Address"] = "10.1.0.6/24", "DanmEp ", " has the address 10.1.0.6/24, not 10.1.0.5/24"),
        Row("the DanmEp's IPv6 address changed", "DanmEp", o => o["spec"]!["Interface"]!["AddressIPv6"] = "none", "DanmEp ", " has the address none, not fd01::5/64"),
        Row("the DanmEp's interface changed", "DanmEp", o => o["spec"]!["Interface"]!["Name"] = "eth9", "DanmEp ", " is of interface \"eth9\", not \"eth0\""),
        Row("the IPAllocation removed", "IPAllocation", null, "IPAllocation 10-1-0-5.", " is missing"),
        Row("the IPAllocation of another Pod", "IPAllocation", o => o["spec"]!["owner"]!["pod"] = "thief", "IPAllocation 10-1-0-5.", " is of Pod default/thief"),
        Row("the IPAllocation of another namespace", "IPAllocation", o => o["spec"]!["owner"]!["namespace"] = "kube-system", "IPAllocation 10-1-0-5.", " is of Pod kube-system/a"),
    ];

    private Sandbox pod = null!;

    [SetUp]
    public async Task Attach()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", Network));
        pod = await Node.StartPodAsync(Objects.Pod("a", Interfaces));
        (await pod.AddAsync()).Succeeded();
        (await pod.CheckAsync()).Succeeded().Stdout.Should().BeEmpty();
    }

    [TestCaseSource(nameof(InThePod))]
    public async Task Names(string shell, string says, bool plugin)
    {
        await pod.RunAsync($"sh -c '{shell}'");

        var failure = (await pod.CheckAsync()).Failed(110);

        failure.Msg.Should().StartWith($"container {pod.ContainerId} is not as ADD left it: ").And.Contain("delete the Pod");
        var differences = ((string)failure.Json["details"]!).Split("; ");
        differences.Should().ContainSingle(d => d.StartsWith(says, StringComparison.Ordinal));
        differences.Any(d => d.Contains("plugin 'macvlan' CHECK: ", StringComparison.Ordinal)).Should().Be(plugin, "{0}", failure);
        await ExpectDelAsync();
    }

    [TestCaseSource(nameof(InTheApi))]
    public async Task Names_in_the_API(string kind, Action<JsonObject>? change, string[] says)
    {
        var changed = Node.Objects(kind).Single(o => kind == "DanmEp" || ((string)o["metadata"]!["name"]!).StartsWith("10-1-0-5.", StringComparison.Ordinal));
        var name = (string)changed["metadata"]!["name"]!;
        Node.Server.Store.Delete("danm.io/v1", kind, "default", name);
        if (change is not null)
        {
            // The server lets nobody change an allocation: whoever holds it now made a new one.
            change(changed);
            changed["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = changed["metadata"]!["namespace"]?.DeepClone() };
            Node.Server.Store.Create(changed);
        }

        ((string)(await pod.CheckAsync()).Failed(110).Json["details"]!).Should().StartWith(says[0]).And.EndWith(says[1]).And.NotContain(";");

        (await pod.DelAsync()).Succeeded();
    }

    [Test]
    public async Task Asks_every_delegate_and_passes_its_word_on()
    {
        var recorder = new Recorder(Node);
        await recorder.InstallAsync();
        await Node.ShellAsync("""rm -rf /run/cni; mkdir /run/cni; echo '{"cniVersion":"1.1.0","name":"rec","plugins":[{"type":"recorder","n":1},{"type":"recorder","n":2}]}' >/run/cni/rec.conflist""");
        Node.Server.Store.Create(Objects.Network("DanmNet", "rec", """{"NetworkID":"rec","NetworkType":"recorder"}"""));
        var second = await Node.StartPodAsync(Objects.Pod("b", """[{"network":"mv","ip":"dynamic"},{"network":"rec"}]"""));
        (await Node.CallAsync(Call(second, "ADD"))).Failed(111).Msg.Should().Contain("'recorder' ADD", "two of one chain cannot make the same interface");
        await Node.ShellAsync("""echo '{"cniVersion":"1.1.0","name":"rec","type":"recorder"}' >/run/cni/rec.conf""");
        (await Node.CallAsync(Call(second, "ADD"))).Succeeded();
        (await Node.CallAsync(Call(second, "CHECK"))).Succeeded();
        (await recorder.CallsAsync("CHECK")).Should().ContainSingle().Which["config"]!["prevResult"]!["interfaces"]![0]!["name"]!.ToString().Should().Be("eth1");

        await recorder.FailAsync("CHECK", """{"cniVersion":"1.1.0","code":100,"msg":"the fabric forgot it"}""");

        ((string)(await Node.CallAsync(Call(second, "CHECK"))).Failed(110).Json["details"]!)
            .Should().Be("interface \"eth1\" (DanmNet/default/rec): plugin 'recorder' CHECK: the fabric forgot it");
        (await Node.CallAsync(Call(second, "DEL"))).Succeeded();
        await ExpectDelAsync();
    }

    [Test]
    public async Task Says_so_when_the_delegate_is_gone()
    {
        (await Node.CallAsync(pod.Call("CHECK") with { Path = DanmBinary.PluginFolder })).Failed(110).Json["details"]!.ToString()
            .Should().Contain("plugin 'macvlan' CHECK").And.Contain("no such program");
        await ExpectDelAsync();
    }

    private static CniCall Call(Sandbox pod, string command)
    {
        var call = pod.Call(command) with { Path = $"{DanmBinary.PluginFolder}:/usr/lib/cni:{Recorder.Folder}" };
        call.Config["cniDir"] = "/run/cni";
        return call;
    }

    // Whatever was done by hand, nothing stays.
    private async Task ExpectDelAsync()
    {
        (await pod.DelAsync()).Succeeded();
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
    }

    private static TestCaseData Row(string name, string shell, string says, bool plugin = false) => new TestCaseData(shell, says, plugin).SetArgDisplayNames(name);

    private static TestCaseData Row(string name, string kind, Action<JsonObject>? change, params string[] says) =>
        new TestCaseData(kind, change, says).SetArgDisplayNames(name);
}
