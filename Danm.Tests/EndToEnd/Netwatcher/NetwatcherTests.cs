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
    public async Task A_restart_without_changes_does_not_move_the_kernel_at_all()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        Node.Server.Store.Create(Objects.Network("DanmNet", "shares", """{"NetworkID":"one","Options":{"host_device":"parent0","vxlan":600,"mtu":1300}}"""));
        Node.Server.Store.Create(Objects.Network("TenantNetwork", "small", """{"NetworkID":"small","Options":{"host_device":"parent0","vxlan":601,"mtu":1200}}"""));
        Node.Server.Store.Create(Objects.Network("TenantNetwork", "large", """{"NetworkID":"large","Options":{"host_device":"parent0","vxlan":602,"mtu":1500}}"""));
        await using (var first = Start())
        {
            await EventuallyAsync("ip -o link show type vxlan", t => t.Split('\n').Should().HaveCount(3 + 1).And.Contain(l => l.Contains("vx_large") && l.Contains("mtu 1450")));
            await Task.Delay(TimeSpan.FromSeconds(3));
            (await first.StopAsync()).Should().Be(0, first.Log);
        }

        await Node.ShellAsync("timeout 60 ip monitor link address route neigh >/run/monitor 2>&1 & echo $! >/run/monitor.pid; sleep 0.5");
        await using (var second = Start())
        {
            await EventuallyAsync("true", _ => second.Log.Should().Contain("TenantNetwork/default/large: mtu 1500"));
            await Task.Delay(TimeSpan.FromSeconds(4));
            (await second.StopAsync()).Should().Be(0, second.Log);
        }

        (await Node.ShellAsync("cat /run/monitor")).Should().BeEmpty();
        await Node.ShellAsync("ip link set vx_small alias other; sleep 0.5; kill $(cat /run/monitor.pid)");
        (await Node.ShellAsync("cat /run/monitor")).Should().Contain("vx_small", "the monitor was listening");
    }

    [Test]
    public async Task An_edit_of_an_old_network_cuts_no_Pod_of_a_younger_one()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "old", """{"NetworkID":"old","Options":{"host_device":"parent0","vxlan":600}}"""));
        await Task.Delay(1100);
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "young", """{"NetworkID":"young","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":601,"cidr":"10.61.0.0/24"}}"""));
        await using var watcher = Start();
        var pod = await Node.StartPodAsync(Objects.Pod("user", """[{"clusterNetwork":"young","ip":"dynamic"}]"""));
        var call = pod.Call("ADD");
        (await Node.CallAsync(call)).Succeeded();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().Contain("vx_old").And.Contain("vx_young"));
        var before = await Node.ShellAsync("ip -o link show vx_young");

        foreach (var edit in (Action<JsonNode>[])[spec => spec["NetworkID"] = "young", spec => (spec["NetworkID"], spec["Options"]!["vxlan"]) = ("old", 601)])
        {
            Change("ClusterNetwork", null, "old", edit);
            await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_old"));
            await Task.Delay(TimeSpan.FromSeconds(3));
            (await Node.ShellAsync("ip -o link show vx_young")).Should().Be(before);
            (await pod.RunAsync("ip -o link show eth0")).Should().Contain("LOWER_UP");
        }

        watcher.Log.Should().Contain("ClusterNetwork/old: host interface \"vx_young\" is VxLAN 601").And.Contain("ClusterNetwork/old: VxLAN 601 on \"parent0\" is \"vx_young\" for ClusterNetwork/young already");
        (await Node.CallAsync(call with { Command = "DEL" })).Succeeded();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().Contain("vx_old").And.NotContain("vx_young"));
    }

    [Test]
    public async Task Five_hundred_networks_have_their_interfaces_soon_after_the_start()
    {
        const int Networks = 500;
        Node.Server.Store.Load("danm.io/v1", "ClusterNetwork", Enumerable.Range(0, Networks).Select(i => Objects.Network(
            "ClusterNetwork", $"n{i}", $$$"""{"NetworkID":"n{{{i}}}","Options":{"host_device":"parent0","vxlan":{{{1000 + i}}}}}""")));
        await using var watcher = Start();

        var all = await EventuallyAsync("ip -o link show up type vxlan | wc -l", t => t.Trim().Should().Be($"{Networks}"));
        await TestContext.Progress.WriteLineAsync($"{Networks} VxLANs {all.TotalSeconds:0.0} s after the start, counted by ip");

        Node.Server.Store.List("danm.io/v1", "ClusterNetwork").ToList().ForEach(n => Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, (string)n["metadata"]!["name"]!));
        var gone = await EventuallyAsync("ip -o link show type vxlan | wc -l", t => t.Trim().Should().Be("0"), seconds: 40);
        await TestContext.Progress.WriteLineAsync($"{Networks} VxLANs gone after {gone.TotalSeconds:0.0} s, of which 2 s to settle");
    }

    [Test]
    public async Task One_that_is_deleted_by_hand_is_back_and_one_taken_down_is_up()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        await using var watcher = Start();
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("vx_one:"));

        await Node.ShellAsync("ip link delete vx_one");
        var back = await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("LOWER_UP", "{0}", watcher.Log), seconds: 2);
        await TestContext.Progress.WriteLineAsync($"deleted by hand, back after {back.TotalMilliseconds:0} ms");

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
    public async Task Under_a_name_that_no_Node_has_interfaces_come_and_none_goes()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        await using var watcher = NetwatcherProcess.Start(Node.Enter, "--kubeconfig", Kubeconfig, "--node-name", "no-node", "--health-probe-bind-address=127.0.0.1:18081", "--metrics-bind-address=0");
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("vx_one:", watcher.Log));

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "one");

        await Task.Delay(TimeSpan.FromSeconds(5));
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_one", "whose Pods stand on it cannot be told");
        await EventuallyAsync("curl -sS 127.0.0.1:18081/readyz", t => t.Should().Contain("not listed yet: node no-node"));
    }

    [Test]
    public async Task What_the_originals_Pods_stand_on_stays_though_their_DanmEps_name_only_the_host()
    {
        await Node.ShellAsync("ip link add vx_one type vxlan id 600 dev parent0 group 239.0.2.88 dstport 4789 learning l2miss l3miss local 192.0.2.1 && ip link set vx_one up");
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", Vxlan600));
        Node.Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1",
            ["kind"] = "DanmEp",
            ["metadata"] = new JsonObject { ["name"] = "of-the-original", ["namespace"] = "default" },
            ["spec"] = new JsonObject
            {
                ["NetworkName"] = "one", ["NetworkType"] = "ipvlan", ["EndpointID"] = "of-the-original", ["Host"] = "node-1", ["Pod"] = "p", ["apiType"] = "ClusterNetwork",
                ["Interface"] = new JsonObject { ["Name"] = "eth0", ["Address"] = "10.60.0.9" },
            },
        });
        await using var watcher = Start();
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("alias danm:adopted:"));

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "one");
        await Task.Delay(TimeSpan.FromSeconds(5));
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_one");

        await Node.ShellAsync("for i in $(seq 20); do ip link add churn type bridge; sleep 0.2; ip link delete churn; done");
        Node.Server.Requests.Where("list", "danmeps").Length.Should().BeLessThan(12, "what keeps it is not asked for at every look");

        Node.Server.Store.Delete("danm.io/v1", "DanmEp", "default", "of-the-original");
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_one"), seconds: 45);
    }

    [Test]
    public async Task While_an_ADD_is_at_work_nothing_goes()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "one", """{"NetworkID":"one","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":600,"cidr":"10.60.0.0/24"}}"""));
        await using var watcher = Start();
        await EventuallyAsync("ip -o link show vx_one", t => t.Should().Contain("vx_one:"));
        // Its journal is written and its first create unanswered, so no DanmEp tells that it is about to stand on the interface.
        var held = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, Hold = () => held.Task });
        var pod = await Node.StartPodAsync(Objects.Pod("slow", """[{"clusterNetwork":"one","ip":"dynamic"}]"""));
        var call = pod.Call("ADD");
        var add = Node.CallAsync(call);
        await Eventually.HoldsAsync(() => Node.Server.Requests.Count("create", "ipallocations").Should().BePositive());

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "one");
        await Task.Delay(TimeSpan.FromSeconds(5));
        (await Node.ShellAsync("ip -o link show type vxlan")).Should().Contain("vx_one");
        held.SetResult();
        (await add).Succeeded();
        await Task.Delay(TimeSpan.FromSeconds(4));
        (await pod.RunAsync("ip -o link show eth0")).Should().Contain("eth0", "then its DanmEp tells");

        (await Node.CallAsync(call with { Command = "DEL" })).Succeeded();
        await EventuallyAsync("ip -o link show type vxlan", t => t.Should().NotContain("vx_one"));
    }

    [Test]
    public async Task A_second_SIGTERM_does_not_wait()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "older", """{"NetworkID":"same","Options":{"host_device":"parent0","vxlan":610}}"""));
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "younger", """{"NetworkID":"same","Options":{"host_device":"parent0","vxlan":611}}"""));
        Node.Server.Faults.Add(new Fault(Fault.On("create", "events")) { Delay = TimeSpan.FromSeconds(30) });
        await using var watcher = Start();
        await Eventually.HoldsAsync(() => Node.Server.Requests.Count("create", "events").Should().BePositive());

        await watcher.SignalAsync();
        await Task.Delay(TimeSpan.FromSeconds(1));
        watcher.HasExited.Should().BeFalse("it waits for the Event that is being written");
        (await watcher.StopAsync()).Should().Be(128 + 15);
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

    private Task<TimeSpan> EventuallyAsync(string script, Action<string> expect, double seconds = 15) => Node.EventuallyAsync(script, expect, seconds);
}
