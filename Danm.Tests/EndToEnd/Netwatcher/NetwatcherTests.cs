using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>The published netwatcher on this machine's kernel, which has VxLAN; VLANs are for the guest.</summary>
[TestFixture, Parallelizable]
public sealed class NetwatcherTests : NetwatcherFixture
{
    private const string Vxlan600 = """{"NetworkID":"one","Options":{"host_device":"parent0","vxlan":600}}""";

    [SetUp]
    public Task Device() => Node.ShellAsync("""
        for l in $(ip -o link show type vxlan | cut -d: -f2); do ip link delete $l; done
        ip address replace 192.0.2.1/24 dev parent0
        """);

    [Test]
    public async Task Interfaces_come_change_and_go_as_networks_do()
    {
        await using var watcher = Start();
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        Node.Server.Store.Create(Objects.Network("DanmNet", "two", """{"NetworkID":"two","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":601,"mtu":1300}}"""));
        Node.Server.Store.Create(Objects.Network("TenantNetwork", "three", """{"NetworkID":"three","NetworkType":"bridge","Options":{"host_device":"parent0","vxlan":602}}"""));

        await EventuallyAsync("ip -d -o link show vx_one; ip -d -o link show vx_two; ip -d -o link show vx_three", t => t.Should()
            .Contain("vxlan id 600").And.Contain("vxlan id 601").And.Contain("vxlan id 602").And.Contain("mtu 1300").And.Contain("group 239.0.2.88").And.Contain("alias danm:vxlan600.parent0"));

        Change("ClusterNetwork", null, "one", spec => spec["Options"]!["vxlan"] = 700);
        await EventuallyAsync("ip -d -o link show vx_one", t => t.Should().Contain("vxlan id 700"));
        Change("DanmNet", "default", "two", spec => spec["Options"]!["mtu"] = 1200);
        await EventuallyAsync("ip -d -o link show vx_two", t => t.Should().Contain("mtu 1200"));
        Change("TenantNetwork", "default", "three", spec => spec["NetworkID"] = "drei");
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().Contain("vx_drei").And.NotContain("vx_three"));

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "one");
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_one").And.Contain("vx_two"));
        (await watcher.StopAsync()).Should().Be(0, watcher.Log);
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_two", "interfaces stay when netwatcher goes");
    }

    [Test]
    public async Task A_restart_without_changes_changes_nothing_and_stale_ones_go()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "gone", """{"NetworkID":"gone","Options":{"host_device":"parent0","vxlan":601}}"""));
        (await OnceAsync()).Should().Contain("make vx_one").And.Contain("make vx_gone");
        (await OnceAsync()).Should().Be("nothing to do\n");
        var index = await Node.ShellAsync("ip -o link show vx_one | cut -d: -f1");

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "gone");
        (await OnceAsync("--dry-run")).Should().Be("delete vx_gone (dry run)\n");
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_gone");
        (await OnceAsync()).Should().Be("delete vx_gone\n");

        (await Node.ShellAsync("ip -o link show vx_one | cut -d: -f1")).Should().Be(index);
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().NotContain("vx_gone");
    }

    [Test]
    public async Task One_that_is_deleted_by_hand_is_back_and_one_taken_down_is_up()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        await using var watcher = Start();
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("vx_one:"));

        var watch = Stopwatch.StartNew();
        await Node.ShellAsync("ip link delete vx_one");
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("LOWER_UP"));
        await TestContext.Progress.WriteLineAsync($"back after {watch.ElapsedMilliseconds} ms");

        await Node.ShellAsync("ip link set vx_one down");
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("LOWER_UP"));
    }

    [Test]
    public async Task A_device_that_comes_later_gets_its_interfaces()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", """{"NetworkID":"one","Options":{"host_device":"late0","vxlan":600}}"""));
        await using var watcher = Start();
        await EventuallyAsync("true", _ => watcher.Log.Should().Contain("late0"));

        await Node.ShellAsync("ip link add late0 type bridge && ip address add 198.51.100.1/24 dev late0 && ip link set late0 up");
        await EventuallyAsync("ip -d -o link show vx_one", t => t.Should().Contain("dev late0"));
        await Node.ShellAsync("ip link delete late0");
    }

    [Test]
    public async Task What_a_Pod_of_this_node_stands_on_stays_until_the_Pod_is_gone()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", """{"NetworkID":"one","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":600,"cidr":"10.60.0.0/24"}}"""));
        await using var watcher = Start();
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("vx_one:"));
        var pod = await Node.StartPodAsync(Objects.Pod("user", """[{"clusterNetwork":"one","ip":"dynamic"}]"""));
        var call = pod.Call("ADD");
        (await Node.CallAsync(call)).Succeeded();

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "one");
        await Task.Delay(TimeSpan.FromSeconds(4));
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_one");
        (await pod.RunAsync("ip -o link show eth0")).Should().Contain("eth0");

        (await Node.CallAsync(call with { Command = "DEL" })).Succeeded();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_one"));
    }

    [Test]
    public async Task An_API_server_that_is_away_changes_nothing()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        (await OnceAsync()).Should().Contain("make vx_one");
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        await using var watcher = Start();
        await Task.Delay(TimeSpan.FromSeconds(4));
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_one");

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "one");
        Node.Server.Faults.Clear();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_one"), seconds: 60);
    }

    private Task<string> OnceAsync(string mode = "--once") =>
        Node.ShellAsync($"{DanmBinary.Path} netwatcher {mode} --kubeconfig {Kubeconfig} --node-name node-1");

    private void Change(string kind, string? ns, string name, Action<JsonNode> change)
    {
        var network = (JsonObject)Node.Server.Store.Get("danm.io/v1", kind, ns, name)!.DeepClone();
        change(network["spec"]!);
        Node.Server.Store.Update(network);
    }

    private Task EventuallyAsync(string script, Action<string> expect, int seconds = 15) => Eventually.ShellAsync(Node, script, expect, seconds);
}
