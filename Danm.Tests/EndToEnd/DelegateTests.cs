using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>Interfaces that Debian's own CNI plugins make, on this machine's kernel.</summary>
public sealed class DelegateTests : HostFixture
{
    private const string Macvlan = """
        {"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd01::/64","rt_tables":100,"mtu":1300,
         "routes":{"10.99.0.0/16":"10.1.0.254"},"routes6":{"fd99::/64":"fd01::fe"}}}
        """;

    private const string Bridge = """
        {"cniVersion":"1.0.0","name":"br-net","type":"bridge","bridge":"br0","isGateway":true,"x-unknown":[1.50,{"b":1,"a":2}],
         "ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"},"dns":{"nameservers":["10.7.0.1"]}}
        """;

    // CHECK of Debian's portmap (1.1.1) looks for IPv4 rules among those of IPv6: it fails whatever there is, unless it is not called.
    private const string Chain = """
        {"cniVersion":"1.0.0","name":"chain","disableCheck":true,"plugins":[
          {"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.8.0.5/24","gateway":"10.8.0.1"}],"routes":[{"dst":"10.98.0.0/16","gw":"10.8.0.1"}]}},
          {"type":"tuning","sysctl":{"net.ipv4.conf.all.arp_filter":"1"}},
          {"type":"portmap","capabilities":{"portMappings":true},"snat":false}]}
        """;

    [SetUp]
    public Task CniDir() => Node.ShellAsync("mkdir -p /run/cni && rm -rf /run/cni/* /run/leases; ip link delete br0 2>/dev/null; true");

    [Test]
    public async Task Macvlan_gets_danms_addresses_and_routes()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", Macvlan));
        var pod = await Node.StartPodAsync(Objects.Pod(
            "a", """[{"network":"mv","ip":"dynamic","ip6":"fd01::5","proutes":{"10.98.0.0/16":"10.1.0.1"}}]"""));

        var result = (await AddAsync(pod)).Succeeded().Json;

        result["interfaces"]!.AsArray().Should().ContainSingle().Which!["name"]!.ToString().Should().Be("eth0");
        result["ips"]!.AsArray().Select(i => (int)i!["interface"]!).Should().Equal(0, 0);
        var address = (string)result["ips"]![0]!["address"]!;
        address.Should().MatchRegex(@"^10\.1\.0\.\d+/24$");
        (await pod.RunAsync("ip -d -o link show eth0")).Should().Contain("macvlan mode bridge").And.Contain("mtu 1300");
        (await pod.RunAsync("ip -o address show dev eth0 scope global")).Should().Contain(address).And.Contain("fd01::5/64").And.NotContain("tentative");
        (await pod.RunAsync("ip route show")).Should().Contain("10.99.0.0/16 via 10.1.0.254 dev eth0");
        (await pod.RunAsync("ip -6 route show")).Should().Contain("fd99::/64 via fd01::fe dev eth0");
        (await pod.RunAsync("ip route show table 100")).Should().Contain("10.98.0.0/16 via 10.1.0.1");
        (await pod.RunAsync("ip rule")).Should().Contain($"from {address[..^3]} lookup 100");
        Node.Objects("DanmEp").Single()["spec"]!["Interface"]!["Address"]!.ToString().Should().Be(address);
        (await pod.CheckAsync()).Succeeded();

        (await pod.DelAsync()).Succeeded();

        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task Two_Pods_of_ptp_reach_each_other_over_IPv6_through_the_host()
    {
        await FileAsync("p6.conf", """
            {"cniVersion":"1.0.0","name":"p6","type":"ptp","ipam":{"type":"host-local","ranges":[[{"subnet":"fd07::/64"}]],"routes":[{"dst":"::/0"}],"dataDir":"/run/leases"}}
            """);
        Node.Server.Store.Create(Objects.Network("DanmNet", "p6", """{"NetworkID":"p6","NetworkType":"ptp"}"""));
        await Node.ShellAsync("echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
        var pods = new[] { await Node.StartPodAsync(Objects.Pod("a", """[{"network":"p6"}]""")), await Node.StartPodAsync(Objects.Pod("b", """[{"network":"p6"}]""")) };
        foreach (var pod in pods)
            (await AddAsync(pod)).Succeeded();
        var other = (await pods[1].RunAsync("ip -6 -o address show dev eth0 scope global | awk '{print $4}' | cut -d/ -f1")).Trim();

        (await pods[0].RunAsync("ip -6 -o address show dev eth0 scope global")).Should().NotContain("tentative");
        (await pods[0].RunAsync("ip -6 route show dev eth0")).Should().NotContain("fd07::/64 proto kernel", "the plugin has led the subnet through the host");
        (await pods[0].RunAsync($"ping -6 -c 1 -W 5 {other}")).Should().Contain("1 received");

        foreach (var pod in pods)
            (await pod.DelAsync()).Succeeded();
        await ExpectNothingLeftAsync(pods[0]);
    }

    [Test]
    public async Task What_is_wrong_once_is_one_event_however_often_the_Pod_is_tried_again()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", Macvlan));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"mv"}]"""));

        for (var i = 0; i < 3; i++)
            (await AddAsync(pod)).Succeeded();

        Node.Server.Store.List("v1", "Event").Where(e => e["involvedObject"]!["uid"]!.ToString() == pod.Uid).Should().ContainSingle()
            .Which["message"]!.ToString().Should().Contain("asks for no address");
        (await pod.DelAsync()).Succeeded();
    }

    [Test]
    public async Task A_file_that_calls_danm_itself_is_refused()
    {
        await FileAsync("loop.conflist", """{"cniVersion":"1.0.0","name":"loop","plugins":[{"type":"bridge"},{"type":"danm"}]}""");
        Node.Server.Store.Create(Objects.Network("DanmNet", "loop", """{"NetworkID":"loop","NetworkType":"bridge"}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"loop"}]"""));

        (await AddAsync(pod)).Failed(102).Msg.Should().Contain("calls danm itself");
    }

    [Test]
    public async Task A_files_own_addresses_reach_the_DanmEp_and_its_lease_goes()
    {
        await FileAsync("br.conf", Bridge);
        Node.Server.Store.Create(Objects.Network("DanmNet", "br", """{"NetworkID":"br","NetworkType":"bridge","Options":{"routes":{"10.99.0.0/16":"10.7.0.1"},"cidr":"10.7.0.0/24"}}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"br"}]"""));

        var result = (await AddAsync(pod)).Succeeded().Json;

        var eth0 = result["interfaces"]!.AsArray().Select((n, i) => (Name: (string)n!["name"]!, i)).Single(n => n.Name == "eth0").i;
        result["ips"]!.AsArray().Single()!["interface"]!.GetValue<int>().Should().Be(eth0);
        result["dns"]!["nameservers"]![0]!.ToString().Should().Be("10.7.0.1");
        var address = (string)result["ips"]![0]!["address"]!;
        Node.Objects("DanmEp").Single()["spec"]!["Interface"]!["Address"]!.ToString().Should().Be(address);
        Node.Objects("IPAllocation").Should().BeEmpty("the file's own IPAM gave the address");
        (await pod.RunAsync("ip route show")).Should().Contain("10.99.0.0/16 via 10.7.0.1");
        (await Node.ShellAsync("ls /run/leases/br-net")).Should().Contain(address[..^3]);
        (await pod.CheckAsync()).Succeeded();

        (await pod.DelAsync()).Succeeded();

        (await Node.ShellAsync("ls /run/leases/br-net")).Should().NotContain(address[..^3]);
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task Danm_takes_the_addresses_of_a_file_over_where_the_Pod_asks_for_one()
    {
        await FileAsync("br.conf", Bridge);
        Node.Server.Store.Create(Objects.Network("DanmNet", "br", """{"NetworkID":"br","NetworkType":"bridge","Options":{"cidr":"10.70.0.0/24"}}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"br","ip":"10.70.0.9"}]"""));

        (await AddAsync(pod)).Succeeded().Json["ips"]!.AsArray().Select(i => (string)i!["address"]!).Should().Equal("10.70.0.9/24");

        (await Node.ShellAsync("ls /run/leases/br-net 2>/dev/null || true")).Should().BeEmpty();
        (await pod.DelAsync()).Succeeded();
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task A_chain_passes_results_on_and_gets_the_ports_it_declares()
    {
        await FileAsync("chain.conflist", Chain);
        Node.Server.Store.Create(Objects.Network("DanmNet", "chain", """{"NetworkID":"chain","NetworkType":"ptp"}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"chain"}]"""));
        var call = Call(pod, "ADD");
        call.Config["runtimeConfig"] = JsonNode.Parse("""{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}],"bandwidth":{"ingressRate":1}}""");

        (await Node.CallAsync(call)).Succeeded().Json["routes"]!.AsArray().Select(r => (string)r!["dst"]!).Should().Contain("10.98.0.0/16");

        (await pod.RunAsync("sysctl -n net.ipv4.conf.all.arp_filter")).Trim().Should().Be("1");
        (await Node.ShellAsync("iptables-save -t nat 2>/dev/null || nft list ruleset")).Should().Contain("8080");
        (await pod.CheckAsync()).Succeeded();
        (await pod.DelAsync()).Succeeded();
        (await Node.ShellAsync("iptables-save -t nat 2>/dev/null || nft list ruleset")).Should().NotContain("8080");
        await ExpectNothingLeftAsync(pod);
    }

    // The specification's rule; and the way to the API server needs an environment of its own.
    [Test]
    public async Task A_plugin_gets_the_environment_of_the_runtime_but_for_its_own_call()
    {
        await Node.ShellAsync("mkdir -p /run/plugins && printf '#!/bin/sh\\nenv | sort >/run/plugins/env.$CNI_COMMAND\\necho \\x27{\"cniVersion\":\"1.0.0\"}\\x27\\n' >/run/plugins/recorder && chmod +x /run/plugins/recorder");
        await FileAsync("rec.conf", """{"cniVersion":"1.0.0","name":"rec","type":"recorder"}""");
        Node.Server.Store.Create(Objects.Network("DanmNet", "rec", """{"NetworkID":"rec","NetworkType":"recorder"}"""));
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"rec"}]"""));
        var call = Call(pod, "ADD") with { Path = "/run/plugins" };

        (await Node.CallAsync(call)).Succeeded();

        var seen = (await Node.ShellAsync("cat /run/plugins/env.ADD")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(v => !v.StartsWith("DANM_", StringComparison.Ordinal) && !v.StartsWith("_=", StringComparison.Ordinal) && !v.StartsWith("PWD=", StringComparison.Ordinal));
        seen.Should().BeEquivalentTo(call.Environment.Select(v => $"{v.Key}={v.Value}").Append("PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
        (await Node.CallAsync(Call(pod, "DEL") with { Path = "/run/plugins" })).Succeeded();
    }

    private Task FileAsync(string name, string content) => Node.ShellAsync($"cat >/run/cni/{name} <<'FILE'\n{content}\nFILE");

    private static CniCall Call(Sandbox pod, string command)
    {
        var call = pod.Call(command);
        call.Config["cniDir"] = "/run/cni";
        return call;
    }

    private Task<CniOutcome> AddAsync(Sandbox pod) => Node.CallAsync(Call(pod, "ADD"));

    private async Task ExpectNothingLeftAsync(Sandbox pod)
    {
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        (await pod.RunAsync("ip -o link")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().OnlyContain(l => l.Contains(" lo:"));
        (await pod.RunAsync("ip rule")).Should().NotContain("lookup 100");
    }
}
