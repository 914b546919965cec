using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>The published netwatcher and NetworkAttachmentDefinitions, on this machine's kernel, which has VxLAN.</summary>
[TestFixture, Parallelizable]
public sealed class DefinitionTests : NetwatcherFixture
{
    private const string OriginalMaster = "danm.io/original-master", HostInterface = "danm.io/host-interface";
    private const string Plain = """{ "cniVersion":"0.3.1",  "name":"radio","type":"macvlan","vxlan":600,"master" : "parent0","mode":"bridge","x":[1.50,{"y":"é"}] }""";
    private const string List = """
        {"cniVersion":"1.0.0","name":"radio","plugins":[
           {"type":"tuning","mtu":1400},
           {"type":"macvlan", "vxlan":600,	"master":"parent0"},
           {"type":"macvlan","master":"other0"}
        ],"unknown":null}
        """;

    private Attachments definitions = null!;

    [SetUp]
    public async Task Kind()
    {
        definitions = new Attachments(Node.Server);
        definitions.AddKind();
        await Node.ShellAsync("""
            for l in $(ip -o link show type vxlan | cut -d: -f2); do ip link delete $l; done
            for l in port2 port3 other0; do ip link delete $l 2>/dev/null || true; done
            ip link add other0 type bridge
            ip link set other0 addrgenmode none
            ip link set other0 up
            ip address replace 192.0.2.1/24 dev parent0
            ip address replace 198.51.100.1/24 dev other0
            """);
    }

    [TearDown]
    public void Forget_definitions()
    {
        definitions.RemoveKind();
        foreach (var node in (string[])["node-2", "node-3"])
        {
            if (Node.Server.Store.Get("v1", "Node", null, node) is not null)
                Node.Server.Store.Delete("v1", "Node", null, node);
        }

        foreach (var e in Node.Server.Store.List("v1", "Event"))
            Node.Server.Store.Delete("v1", "Event", (string)e["metadata"]!["namespace"]!, (string)e["metadata"]!["name"]!);
    }

    [TestCase(Plain, TestName = "Three_nodes_write_a_plain_configuration_once_and_then_nothing")]
    [TestCase(List, TestName = "Three_nodes_write_a_list_once_and_then_nothing")]
    public async Task Three_nodes_write_once(string config)
    {
        foreach (var n in (int[])[2, 3])
        {
            // Without its Node a netwatcher writes nothing.
            Node.Server.Store.Create(Objects.Node($"node-{n}"));
            await Node.ShellAsync($"""
                ip netns add node-{n}
                ip link add port{n} type veth peer name parent0 netns node-{n}
                ip link set port{n} master parent0 up
                ip -n node-{n} link set lo up
                ip -n node-{n} link set parent0 up
                ip -n node-{n} address add 192.0.2.{n}/24 dev parent0
                """);
        }

        await using var first = Start();
        await using var second = StartOther(2);
        await using var third = StartOther(3);
        await Eventually.HoldsAsync(() => definitions.Watched.Should().Be(3), seconds: 30);

        definitions.Create("radio", config);

        foreach (var enter in (string[])["", "-n node-2", "-n node-3"])
            await EventuallyAsync($"ip {enter} -d -o link show up vx_radio", t => t.Should().Contain("vxlan id 600").And.Contain("dev parent0").And.Contain("LOWER_UP"), seconds: 30);
        await Eventually.HoldsAsync(() => definitions.Config("radio").Should().Be(config.Replace("parent0", "vx_radio", StringComparison.Ordinal)));
        await Task.Delay(TimeSpan.FromSeconds(10));
        definitions.Written.Should().Be(1);
        definitions.Tried.Should().BeLessThanOrEqualTo(3, "whoever was slower has seen that it is done");
        definitions.Config("radio").Should().Be(config.Replace("parent0", "vx_radio", StringComparison.Ordinal));
        definitions.Annotation("radio", OriginalMaster).Should().Be("parent0");
        definitions.Annotation("radio", HostInterface).Should().Be("vx_radio");
        definitions.Annotation("radio", "example.org/mine").Should().Be("kept");
        (first.Log + second.Log + third.Log).Should().NotContain("warn", "a conflict is no trouble");
        foreach (var watcher in (NetwatcherProcess[])[first, second, third])
            (await watcher.StopAsync()).Should().Be(0, watcher.Log);
    }

    [Test]
    public async Task A_node_that_was_rebooted_makes_the_interface_from_the_annotation()
    {
        await using (var before = Start())
        {
            await LedAsync(Plain);
            (await before.StopAsync()).Should().Be(0, before.Log);
        }

        await Node.ShellAsync("ip link delete vx_radio");
        await using var after = Start();

        await EventuallyAsync("ip -d -o link show up vx_radio", t => t.Should().Contain("vxlan id 600").And.Contain("dev parent0"));
        await Task.Delay(TimeSpan.FromSeconds(3));
        definitions.Written.Should().Be(1, "there is nothing to write after a reboot");
        after.Log.Should().NotContain("warn");
    }

    [Test]
    public async Task What_its_owner_changes_is_followed()
    {
        await using var watcher = Start();
        await LedAsync(Plain);

        definitions.Edit("radio", c => c.Replace("vx_radio", "other0", StringComparison.Ordinal));
        await EventuallyAsync("ip -d -o link show up vx_radio", t => t.Should().Contain("dev other0").And.Contain("local 198.51.100.1"));
        await SaysAsync(Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal), "vx_radio", "other0");
        await WrittenAsync(2);

        definitions.Edit("radio", c => c.Replace("600", "601", StringComparison.Ordinal));
        await EventuallyAsync("ip -d -o link show up vx_radio", t => t.Should().Contain("vxlan id 601").And.Contain("dev other0"));
        definitions.Written.Should().Be(2, "master leads to the interface of that name already");

        definitions.Edit("radio", c => c.Replace("\"name\":\"radio\"", "\"name\":\"tv\"", StringComparison.Ordinal));
        await EventuallyAsync("ip -d -o link show type vxlan", t => t.Should().Contain("vx_tv").And.Contain("dev other0").And.NotContain("vx_radio"));
        await SaysAsync(Plain.Replace("parent0", "vx_tv", StringComparison.Ordinal).Replace("600", "601", StringComparison.Ordinal).Replace("\"name\":\"radio\"", "\"name\":\"tv\"", StringComparison.Ordinal), "vx_tv", "other0");

        definitions.Edit("radio", _ => Plain);
        await EventuallyAsync("ip -d -o link show type vxlan", t => t.Should().Contain("vx_radio").And.Contain("vxlan id 600").And.Contain("dev parent0").And.NotContain("vx_tv"));
        await SaysAsync(Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal), "vx_radio", "parent0");
        await WrittenAsync(4);
    }

    [Test]
    public async Task One_that_is_deleted_loses_its_interface()
    {
        await using var watcher = Start();
        await LedAsync(List);

        definitions.Delete("radio");

        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_radio"));
        watcher.Log.Should().NotContain("warn");
    }

    [Test]
    public async Task One_that_a_Pod_of_Multus_stands_on_keeps_its_interface_until_the_Pod_is_gone()
    {
        await using var watcher = Start();
        await LedAsync(Plain);
        var index = await Node.ShellAsync("ip -o link show vx_radio | cut -d: -f1");
        Node.Server.Store.Create(Objects.Pod("pod", "other/none, radio@net1", key: "k8s.v1.cni.cncf.io/networks"));
        await Task.Delay(TimeSpan.FromSeconds(1));

        definitions.Delete("radio");
        await Task.Delay(TimeSpan.FromSeconds(5));
        (await Node.ShellAsync("ip -o link show vx_radio | cut -d: -f1")).Should().Be(index);

        Node.Server.Store.Delete("v1", "Pod", "default", "pod");
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_radio"));
    }

    [TestCase(Plain, "\"vxlan\":600,", TestName = "A_configuration_whose_id_is_taken_out_has_its_device_again")]
    [TestCase(List, " \"vxlan\":600,", TestName = "A_plugin_whose_id_is_taken_out_has_its_device_again")]
    public async Task One_whose_id_is_taken_out_has_its_device_again(string config, string id)
    {
        await using var watcher = Start();
        await LedAsync(config);

        definitions.Edit("radio", c => c.Replace(id, "", StringComparison.Ordinal));

        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_radio"));
        await SaysAsync(config.Replace(id, "", StringComparison.Ordinal), null, null);
        await Task.Delay(TimeSpan.FromSeconds(3));
        definitions.Written.Should().Be(2);
    }

    [Test]
    public async Task What_is_no_JSON_is_told_once_and_cuts_nobody()
    {
        await using var watcher = Start();
        await LedAsync(Plain);
        var index = await Node.ShellAsync("ip -o link show vx_radio | cut -d: -f1");

        definitions.Edit("radio", c => c[..^1]);

        await Eventually.HoldsAsync(() =>
        {
            var e = Node.Server.Store.List("v1", "Event").Should().ContainSingle().Subject;
            e["reason"]!.ToString().Should().Be("HostInterfaceNotReady");
            e["involvedObject"]!["kind"]!.ToString().Should().Be("NetworkAttachmentDefinition");
            e["involvedObject"]!["uid"]!.ToString().Should().Be(definitions.Uid("radio"));
            e["metadata"]!["namespace"]!.ToString().Should().Be("default");
            e["message"]!.ToString().Should().StartWith("spec.config cannot be used: ");
        });
        // Whatever makes it look again.
        for (var i = 0; i < 5; i++)
        {
            await Node.ShellAsync($"ip link set other0 alias look{i}");
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        watcher.Log.Split("spec.config cannot be used").Should().HaveCount(2, "it is told once");
        Node.Server.Store.List("v1", "Event").Should().ContainSingle().Which["count"]!.GetValue<int>().Should().Be(1);
        (await Node.ShellAsync("ip -o link show vx_radio | cut -d: -f1")).Should().Be(index, "Pods may stand on it");
        definitions.Written.Should().Be(1);

        definitions.Edit("radio", _ => Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal).Replace("600", "16777215", StringComparison.Ordinal));
        await Eventually.HoldsAsync(() => watcher.Log.Should().Contain("vxlan: \"16777215\" must be 1 to 16777214"));
        definitions.Annotate("radio", OriginalMaster, null);
        definitions.Annotate("radio", HostInterface, null);
        definitions.Edit("radio", _ => Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal));
        await Eventually.HoldsAsync(() => watcher.Log.Should().Contain($"no annotation {OriginalMaster} says"));
        await Task.Delay(TimeSpan.FromSeconds(4));
        (await Node.ShellAsync("ip -o link show vx_radio | cut -d: -f1")).Should().Be(index);

        definitions.Annotate("radio", OriginalMaster, "parent0");
        await Eventually.HoldsAsync(() => watcher.Log.Should().Contain("NetworkAttachmentDefinition/default/radio: mended"));
        (await Node.ShellAsync("ip -o link show vx_radio | cut -d: -f1")).Should().Be(index);
    }

    [Test]
    public async Task One_look_leads_it_too_and_says_so()
    {
        definitions.Create("radio", Plain);

        (await OnceAsync("--dry-run")).Should().Be("make vx_radio: VxLAN 600 on \"parent0\" for NetworkAttachmentDefinition/default/radio (dry run)\nlead NetworkAttachmentDefinition/default/radio to vx_radio (dry run)\n");
        definitions.Tried.Should().Be(0);
        (await OnceAsync("--once")).Should().Be("make vx_radio: VxLAN 600 on \"parent0\" for NetworkAttachmentDefinition/default/radio\nlead NetworkAttachmentDefinition/default/radio to vx_radio\n");
        await SaysAsync(Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal), "vx_radio", "parent0");
        (await OnceAsync("--once")).Should().Be("nothing to do\n");
    }

    [Test]
    public async Task The_kind_comes_and_goes_while_it_runs()
    {
        definitions.RemoveKind();
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "stays", """{"NetworkID":"stays","Options":{"host_device":"parent0","vxlan":610}}"""));
        await using var watcher = Start();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().Contain("vx_stays"));
        await Task.Delay(TimeSpan.FromSeconds(5));

        definitions.AddKind();
        await LedAsync(Plain, seconds: 40);

        definitions.RemoveKind();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_radio").And.Contain("vx_stays"), seconds: 30);

        definitions.AddKind();
        await LedAsync(Plain, seconds: 40);
        watcher.Log.Should().NotContain("warn", "a kind that is not there is no trouble");
    }

    [Test]
    public async Task Its_Pods_are_not_led_to_what_an_older_network_has_of_that_name()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "radio", """{"NetworkID":"radio","Options":{"host_device":"parent0","vxlan":700}}"""));
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        await using var watcher = Start();
        definitions.Create("radio", Plain);

        await Eventually.HoldsAsync(() => Node.Server.Store.List("v1", "Event").Should().ContainSingle().Which["message"]!.ToString().Should()
            .Contain("\"vx_radio\" is VxLAN 700").And.Contain("ClusterNetwork/radio"));
        await Task.Delay(TimeSpan.FromSeconds(3));
        definitions.Tried.Should().Be(0);
        await SaysAsync(Plain, null, null);

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "radio");
        await EventuallyAsync("ip -d -o link show vx_radio", t => t.Should().Contain("vxlan id 600"));
        await SaysAsync(Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal), "vx_radio", "parent0");
    }

    [Test]
    public async Task Two_plugins_that_cannot_both_have_the_interface_get_an_Event_and_nothing_is_written()
    {
        const string Config = """{"name":"radio","plugins":[{"type":"macvlan","vxlan":600,"master":"parent0"},{"type":"macvlan","vxlan":601,"master":"parent0"}]}""";
        await using var watcher = Start();
        definitions.Create("radio", Config);

        await Eventually.HoldsAsync(() => Node.Server.Store.List("v1", "Event").Should().ContainSingle().Which["message"]!.ToString().Should()
            .Contain("two plugins want \"vx_radio\"").And.Contain("VxLAN 600").And.Contain("VxLAN 601"));
        await Task.Delay(TimeSpan.FromSeconds(3));
        definitions.Tried.Should().Be(0);
        await SaysAsync(Config, null, null);
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().NotContain("vx_radio");
    }

    [TestCase(409, 3, TestName = "An_update_that_was_refused_for_nothing_is_tried_again")]
    // The client itself tries four times.
    [TestCase(500, 5, TestName = "An_update_that_the_server_could_not_take_is_tried_again")]
    public async Task An_update_is_tried_again(int status, int times)
    {
        Node.Server.Faults.Add(new Fault(Attachments.Updates) { Answer = status == 409 ? Fault.Conflict() : Fault.InternalError(), Count = times });
        await using var watcher = Start();

        await LedAsync(Plain, seconds: 60);

        await WrittenAsync(1);
        definitions.Tried.Should().Be(times + 1);
        watcher.Log.Contains("injected fault", StringComparison.Ordinal).Should().Be(status == 500, "a conflict is no trouble");
    }

    [Test]
    public async Task What_the_original_led_is_taken_over_once_somebody_says_from_where()
    {
        var led = Plain.Replace("parent0", "vx_radio", StringComparison.Ordinal);
        await using var watcher = Start();
        definitions.Create("radio", led);
        await Eventually.HoldsAsync(() => watcher.Log.Should().Contain($"no annotation {OriginalMaster} says which device it is on"));

        definitions.Annotate("radio", OriginalMaster, "other0");

        await EventuallyAsync("ip -d -o link show up vx_radio", t => t.Should().Contain("dev other0"));
        await SaysAsync(led, "vx_radio", "other0");
    }

    private Task<string> OnceAsync(string mode) => Node.ShellAsync($"{DanmBinary.Path} netwatcher {mode} --kubeconfig {Kubeconfig} --node-name node-1");

    private NetwatcherProcess StartOther(int node)
    {
        var kubeconfig = Node.WriteFile($"node-{node}", KubeconfigOf($"node-{node}")
            .Replace("127.0.0.1", "192.0.2.1", StringComparison.Ordinal).Replace("\"server\":", "\"tls-server-name\":\"localhost\",\"server\":", StringComparison.Ordinal));
        return NetwatcherProcess.Start([.. Node.Enter, "ip", "netns", "exec", $"node-{node}"], "--kubeconfig", kubeconfig, "--node-name", $"node-{node}");
    }

    /// <summary>Creates it, and waits until its interface is there and its master leads to it.</summary>
    private async Task LedAsync(string config, double seconds = 15)
    {
        definitions.Create("radio", config);
        await EventuallyAsync("ip -d -o link show up vx_radio", t => t.Should().Contain("dev parent0"), seconds);
        await Eventually.HoldsAsync(() => definitions.Config("radio").Should().Be(config.Replace("parent0", "vx_radio", StringComparison.Ordinal)), seconds);
    }

    private Task SaysAsync(string config, string? interfaces, string? devices) => Eventually.HoldsAsync(() =>
        (definitions.Config("radio"), definitions.Annotation("radio", HostInterface), definitions.Annotation("radio", OriginalMaster)).Should().Be((config, interfaces, devices)));

    private Task WrittenAsync(int times) => Eventually.HoldsAsync(() => definitions.Written.Should().Be(times));

    private Task<TimeSpan> EventuallyAsync(string script, Action<string> expect, double seconds = 15) => Node.EventuallyAsync(script, expect, seconds);
}
