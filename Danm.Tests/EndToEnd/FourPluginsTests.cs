using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>One Pod with an interface of our own plugin and three of Debian's, a chain among them, on a kernel that has them all.</summary>
[TestFixture, Parallelizable]
public sealed class FourPluginsTests : GuestFixture
{
    // What iptables needs to write the rules of a forwarded port: a guest loads no module by itself, and has no NAT for nf_tables.
    private const string Modules = "iptable_nat iptable_filter xt_nat xt_comment xt_multiport xt_tcpudp xt_addrtype xt_mark";

    private const string Interfaces = """
        [{"network":"chain"},{"network":"ipv","ip":"dynamic"},{"network":"mv","ip":"dynamic"},{"network":"br"}]
        """;

    [OneTimeSetUp]
    public async Task Prepare()
    {
        await HostAsync($$"""
            modprobe -d /run/guest -a {{Modules}}
            ln -sf /usr/sbin/iptables-legacy /etc/alternatives/iptables
            ln -sf /usr/sbin/ip6tables-legacy /etc/alternatives/ip6tables
            ip link add parent1 type dummy && ip link set parent1 up
            """);
        foreach (var (name, spec) in ((string, string)[])
            [
                ("ipv", """{"NetworkID":"ipv","NetworkType":"ipvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""),
                ("mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent1","cidr":"10.2.0.0/24"}}"""),
                ("br", """{"NetworkID":"br","NetworkType":"bridge"}"""),
                ("chain", """{"NetworkID":"chain","NetworkType":"ptp"}"""),
            ])
        {
            Node.Server.Store.Create(Objects.Network("DanmNet", name, spec));
        }
    }

    // All that Debian's plugins speak.
    [TestCase("0.1.0")]
    [TestCase("0.2.0")]
    [TestCase("0.3.0")]
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    public async Task Each_interface_carries_traffic_and_nothing_of_it_stays_in_version(string version)
    {
        await HostAsync($$$"""
            rm -rf /run/cni /run/leases; mkdir /run/cni
            cat >/run/cni/br.conf <<'FILE'
            {"cniVersion":"{{{version}}}","name":"br-net","type":"bridge","bridge":"br0","isGateway":true,
             "ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}}
            FILE
            cat >/run/cni/chain.conflist <<'FILE'
            {"cniVersion":"{{{version}}}","name":"chain-net","plugins":[
              {"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.8.0.5/24","gateway":"10.8.0.1"}],"routes":[{"dst":"10.98.0.0/16","gw":"10.8.0.1"}]}},
              {"type":"tuning","sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}},
              {"type":"portmap","capabilities":{"portMappings":true},"snat":false}]}
            FILE
            """);
        var pod = await PodAsync($"four-{version.Replace('.', '-')}", Interfaces);
        var peer = await PodAsync($"three-{version.Replace('.', '-')}", Interfaces.Replace("""{"network":"chain"},""", ""));

        (await CallAsync(pod, "ADD", version)).Succeeded();
        (await CallAsync(peer, "ADD", version)).Succeeded();

        var addresses = await AddressesAsync(pod);
        addresses.Keys.Should().BeEquivalentTo("eth0", "eth1", "eth2", "eth3");
        var peers = await AddressesAsync(peer);
        (await PingAsync(pod, "eth0", "10.8.0.1")).Should().Contain("1 received", "the host's end of the ptp");
        (await PingAsync(pod, "eth1", peers["eth0"])).Should().Contain("1 received", "ipvlan");
        (await PingAsync(pod, "eth2", peers["eth1"])).Should().Contain("1 received", "macvlan");
        (await PingAsync(pod, "eth3", peers["eth2"])).Should().Contain("1 received", "bridge");
        (await pod.RunAsync("sysctl -n net.ipv4.conf.eth0.arp_filter")).Trim().Should().Be("1");
        (await HostAsync("iptables-legacy-save -t nat")).Should().Contain("--dport 8080").And.Contain("10.8.0.5:80");
        Node.Objects("DanmEp").Where(o => (string)o["spec"]!["Pod"]! == pod.Name)
            .ToDictionary(o => (string)o["spec"]!["Interface"]!["Name"]!, o => ((string)o["spec"]!["Interface"]!["Address"]!).Split('/')[0])
            .Should().BeEquivalentTo(addresses);
        if (version is "0.4.0" or "1.0.0")
            (await CallAsync(pod, "CHECK", version)).Succeeded();

        (await CallAsync(pod, "DEL", version)).Succeeded();

        (await pod.RunAsync("ip -o link")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().OnlyContain(l => l.Contains(" lo:"));
        (await HostAsync("iptables-legacy-save -t nat")).Should().NotContain("8080");
        (await HostAsync("ls /run/leases/br-net")).Should().Contain(peers["eth2"]).And.NotContain(addresses["eth3"]);
        (await CallAsync(peer, "DEL", version)).Succeeded();
        (await HostAsync("ls /run/leases/br-net")).Should().NotContain("10.7.0.");
        (await HostAsync("ip -o link show type veth")).Should().BeEmpty();
    }

    private Task<CniOutcome> CallAsync(Sandbox pod, string command, string version)
    {
        var call = pod.Call(command, version);
        call.Config["cniDir"] = "/run/cni";
        call.Config["runtimeConfig"] = JsonNode.Parse("""{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}""");
        return Node.CallAsync(call);
    }

    private static async Task<Dictionary<string, string>> AddressesAsync(Sandbox pod) =>
        (await pod.RunAsync("ip -o -4 address show scope global")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(w => w[1], w => w[3].Split('/')[0]);

    private static Task<string> PingAsync(Sandbox pod, string link, string address) => pod.RunAsync($"ping -c 1 -W 5 -I {link} {address}");
}
