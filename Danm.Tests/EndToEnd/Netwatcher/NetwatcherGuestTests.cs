using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>The published netwatcher on a kernel that has VLANs and ipvlan.</summary>
[TestFixture, Parallelizable]
public sealed class NetwatcherGuestTests : GuestFixture
{
    // A second node: a network namespace with a wire to the first one, and a way to the API server over it, for which the first answers.
    private const string SecondNode = """
        ip netns add second
        ip link add wire0 type veth peer name wire0 netns second
        ip link add way0 type veth peer name way0 netns second
        ip link set wire0 up && ip link set way0 up
        ip route add 192.0.2.3/32 dev way0
        echo 1 >/proc/sys/net/ipv4/ip_forward
        echo 1 >/proc/sys/net/ipv4/conf/vec0/proxy_arp
        ip netns exec second sh -e -c '
            for l in lo wire0 way0; do ip link set $l up; done
            ip address add 192.0.2.3/32 dev way0
            ip route add 192.0.2.2 dev way0
            ip route add default via 192.0.2.2'
        """;

    [TearDown]
    public async Task StopAll() => await HostAsync("""
        for p in /run/netwatcher.*.pid; do [ -e $p ] && kill $(cat $p) && rm $p; done
        ip link delete wire0 2>/dev/null
        ip link delete way0 2>/dev/null
        ip netns delete second 2>/dev/null
        for l in $(ip -o link show type vlan | cut -d: -f2 | cut -d@ -f1) $(ip -o link show type vxlan | cut -d: -f2); do ip link delete $l 2>/dev/null; done
        true
        """);

    [Test]
    public async Task VLANs_and_VxLANs_come_change_are_made_again_and_go()
    {
        Network("ClusterNetwork", "vl", """{"vlan":500}""");
        Network("DanmNet", "vx", """{"vxlan":600,"mtu":1300}""");
        Network("TenantNetwork", "br", """{"vlan":501}""", more: "\"NetworkType\":\"bridge\",");
        await StartAsync("node-1");
        await EventuallyAsync("ip -d -o link show up", t => t.Should().Contain("vl.500@parent0").And.Contain("vlan protocol 802.1Q id 500").And.Contain("alias danm:vlan500.parent0")
            .And.Contain("vx_vx").And.Contain("vxlan id 600").And.Contain("br.501@parent0"));

        Change("ClusterNetwork", null, "vl", spec => spec["Options"]!["vlan"] = 510);
        Change("DanmNet", "default", "vx", spec => spec["Options"]!["mtu"] = 1200);
        Change("TenantNetwork", "default", "br", spec => spec["Options"]!["host_device"] = "vec0");
        await EventuallyAsync("ip -d -o link show up", t => t.Should().Contain("vl.510@parent0").And.NotContain("vl.500").And.Contain("br.501@vec0").And.MatchRegex("vx_vx:.* mtu 1200"));

        await HostAsync("ip link set parent0 mtu 1300");
        await EventuallyAsync("ip -o link show vl.510", t => t.Should().Contain("mtu 1300"));
        await HostAsync("ip link set parent0 mtu 1400");
        await EventuallyAsync("ip -o link show vl.510", t => t.Should().Contain("mtu 1400", "the kernel only shrinks it"));

        await HostAsync("ip link delete vl.510");
        var back = await EventuallyAsync("ip -o link show up vl.510", t => t.Should().Contain("vl.510@"), seconds: 10);
        await TestContext.Progress.WriteLineAsync($"deleted by hand, back after {back.TotalMilliseconds:0} ms in the guest");

        foreach (var (kind, ns, name) in (ReadOnlySpan<(string, string?, string)>)[("ClusterNetwork", null, "vl"), ("DanmNet", "default", "vx"), ("TenantNetwork", "default", "br")])
            Node.Server.Store.Delete("danm.io/v1", kind, ns, name);
        await EventuallyAsync("ip -o link show", t => t.Should().NotContain("vl.510").And.NotContain("vx_vx").And.NotContain("br.501"));
    }

    [Test]
    public async Task ipvlan_Pods_of_two_nodes_reach_each_other_over_a_VLAN()
    {
        await HostAsync(SecondNode);
        Network("ClusterNetwork", "wire", """{"host_device":"wire0","vlan":500,"cidr":"10.80.0.0/24","net6":"fd00:80::/64"}""");
        await StartAsync("node-1");
        await StartAsync("node-2", "ip netns exec second");
        foreach (var enter in (string[])["", "ip netns exec second"])
            await EventuallyAsync($"{enter} ip -d -o link show up wire.500", t => t.Should().Contain("vlan protocol 802.1Q id 500"));
        var made = await IndexesAsync();

        var here = await AddAsync("here", """[{"clusterNetwork":"wire","ip":"10.80.0.11","ip6":"fd00:80::11"}]""");
        var there = await PodAsync("there", """[{"clusterNetwork":"wire","ip":"10.80.0.12","ip6":"fd00:80::12"}]""");
        var call = there.Call("ADD");
        call.Config["nodeName"] = "node-2";
        (await CallOnSecondAsync(call)).Should().Contain("10.80.0.12");

        (await here.RunAsync("ping -c 3 -W 5 10.80.0.12")).Should().Contain(" 0% packet loss");
        (await here.RunAsync("ping -c 3 -W 5 fd00:80::12")).Should().Contain(" 0% packet loss");
        (await IndexesAsync()).Should().Be(made, "the ADDs have found what netwatcher had made");

        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "wire");
        await Task.Delay(TimeSpan.FromSeconds(5));
        (await here.RunAsync("ping -c 1 -W 5 10.80.0.12")).Should().Contain(" 0% packet loss", "Pods stand on it");
        (await here.DelAsync()).Succeeded();
        await EventuallyAsync("ip -o link show; echo; ip netns exec second ip -o link show wire.500", t => t.Split("\n\n")[0].Should().NotContain("wire.500"));
        (await HostAsync("ip netns exec second ip -o link show wire.500")).Should().Contain("wire.500@wire0", "the second node's Pod is there still");
        await CallOnSecondAsync(call with { Command = "DEL" });
        await EventuallyAsync("ip netns exec second ip -o link show", t => t.Should().NotContain("wire.500"));
        await HostAsync("ip netns delete second");
    }

    [Test]
    public async Task Five_hundred_VLANs_are_there_soon_after_the_start()
    {
        for (var i = 0; i < 500; i++)
            Network("ClusterNetwork", $"n{i}", $$"""{"vlan":{{1000 + i}}}""");
        await StartAsync("node-1");

        // The guest's one CPU is netwatcher's: whoever lists interfaces meanwhile would be measured with it.
        await EventuallyAsync("sleep 1; grep -c 'make ' /run/netwatcher.node-1.log", t => t.Trim().Should().Be("500"), seconds: 60);

        (await HostAsync("ip -o link show up type vlan | wc -l")).Trim().Should().Be("500");
        var log = await HostAsync("{ sed -n 1p /run/netwatcher.node-1.log; grep 'make ' /run/netwatcher.node-1.log | sed -n '1p;$p'; } | cut -d' ' -f1");
        var times = log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(t => DateTimeOffset.Parse(t, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        await TestContext.Progress.WriteLineAsync($"500 VLANs {(times[2] - times[0]).TotalSeconds:0.0} s after the start in the guest, the first after {(times[1] - times[0]).TotalSeconds:0.0} s, by netwatcher's log");
        foreach (var network in Node.Server.Store.List("danm.io/v1", "ClusterNetwork"))
            Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, (string)network["metadata"]!["name"]!);
    }

    [Test]
    public async Task A_VLAN_that_the_original_made_is_adopted_without_losing_a_packet_and_a_restart_moves_nothing()
    {
        await HostAsync(SecondNode);
        await HostAsync("""
            ip link add link wire0 name net0.700 type vlan id 700 && ip link set net0.700 up && ip address add 10.81.0.1/24 dev net0.700
            ip -n second link add link wire0 name net0.700 type vlan id 700 && ip -n second link set net0.700 up && ip -n second address add 10.81.0.2/24 dev net0.700
            ping -c 1 -W 5 10.81.0.2
            """);
        Network("ClusterNetwork", "net0", """{"host_device":"wire0","vlan":700}""");

        var ping = HostAsync("ping -i 0.05 -w 120 10.81.0.2 & echo $! >/run/ping.pid; wait $!");
        await StartAsync("node-1");
        await EventuallyAsync("ip -o link show net0.700", t => t.Should().Contain("alias danm:adopted:"));
        ping.IsCompleted.Should().BeFalse("it runs all the while");
        await HostAsync("kill -INT $(cat /run/ping.pid)");
        (await ping).Should().Contain(" 0% packet loss");

        await HostAsync("kill $(cat /run/netwatcher.node-1.pid); rm /run/netwatcher.node-1.pid; sleep 2; timeout 100 ip monitor link address >/run/monitor 2>&1 & sleep 1");
        await StartAsync("node-1");
        await EventuallyAsync("cat /run/netwatcher.node-1.log", t => t.Should().Contain("starts"));
        await Task.Delay(TimeSpan.FromSeconds(8));
        (await HostAsync("cat /run/monitor")).Should().BeEmpty();
        await HostAsync("ip link set net0.700 alias other; sleep 1");
        (await HostAsync("cat /run/monitor")).Should().Contain("net0.700", "the monitor was listening");
        await HostAsync("ip netns delete second");
    }

    [Test]
    public async Task Two_plugins_of_an_attachment_definition_have_a_VLAN_each_and_find_back()
    {
        const string Config = """{"name":"att","plugins":[{"type":"macvlan","master":"parent0","vlan":510},{"type":"macvlan","master":"vec0","vlan":511},{"type":"tuning"}]}""";
        const string Led = """{"name":"att","plugins":[{"type":"macvlan","master":"att.510","vlan":510},{"type":"macvlan","master":"att.511","vlan":511},{"type":"tuning"}]}""";
        var definitions = new Attachments(Node.Server);
        definitions.AddKind();
        try
        {
            definitions.Create("att", Config);
            await StartAsync("node-1");
            await EventuallyAsync("ip -d -o link show up", t => t.Should().MatchRegex("att\\.510@parent0:.* protocol 802.1Q id 510").And.MatchRegex("att\\.511@vec0:.* protocol 802.1Q id 511"));
            await Eventually.HoldsAsync(() => definitions.Config("att").Should().Be(Led), seconds: 60);
            (definitions.Annotation("att", "danm.io/host-interface"), definitions.Annotation("att", "danm.io/original-master")).Should().Be(("att.510,att.511", "parent0,vec0"));

            definitions.Edit("att", c => c.Replace("\"vlan\":510", "\"vlan\":512", StringComparison.Ordinal).Replace(",\"vlan\":511", "", StringComparison.Ordinal));
            await EventuallyAsync("ip -o link show", t => t.Should().Contain("att.512@parent0").And.NotContain("att.510").And.NotContain("att.511"));
            await Eventually.HoldsAsync(() => definitions.Config("att").Should().Be("""{"name":"att","plugins":[{"type":"macvlan","master":"att.512","vlan":512},{"type":"macvlan","master":"vec0"},{"type":"tuning"}]}"""), seconds: 60);
            (definitions.Annotation("att", "danm.io/host-interface"), definitions.Annotation("att", "danm.io/original-master")).Should().Be(("att.512", "parent0"));

            definitions.Delete("att");
            await EventuallyAsync("ip -o link show type vlan", t => t.Should().BeEmpty());
        }
        finally
        {
            definitions.RemoveKind();
        }
    }

    private Task StartAsync(string node, string enter = "") => HostAsync($"""
        {enter} {DanmBinary.Path} netwatcher --kubeconfig {(string)Node.Config()["kubeconfig"]!} --node-name {node} </dev/null >/run/netwatcher.{node}.log 2>&1 & echo $! >/run/netwatcher.{node}.pid
        """);

    private Task<string> IndexesAsync() => HostAsync("for e in '' 'ip netns exec second'; do $e ip -o link show wire.500 | cut -d: -f1; done");

    private Task<string> CallOnSecondAsync(CniCall call) => HostAsync($"ip netns exec second {call.ToShell(DanmBinary.Path)}");

    private Task<TimeSpan> EventuallyAsync(string script, Action<string> expect, double seconds = 60) => Node.EventuallyAsync(script, expect, seconds);

    private void Change(string kind, string? ns, string name, Action<JsonNode> change)
    {
        var network = (JsonObject)Node.Server.Store.Get("danm.io/v1", kind, ns, name)!.DeepClone();
        change(network["spec"]!);
        Node.Server.Store.Update(network);
    }
}
