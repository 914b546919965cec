namespace Danm.Tests.EndToEnd;

/// <summary>What an interface has inside the Pod, for every way to ask.</summary>
[TestFixture, Parallelizable]
public sealed class AddressTests : GuestFixture
{
    [OneTimeSetUp]
    public void MakeNetworks()
    {
        Network("DanmNet", "dual", """{"cidr":"10.61.0.0/24","net6":"fd00:61::/64","container_prefix":"net"}""");
        Network("DanmNet", "small", """{"cidr":"10.62.0.0/24","net6":"fd00:62::/64","mtu":1300,"container_prefix":"net"}""");
    }

    [Test]
    public async Task Families_and_switches_are_as_asked()
    {
        var pod = await AddAsync("families", """
            [{"network":"dual","ip":"dynamic"},
             {"network":"dual","ip6":"dynamic"},
             {"network":"dual","ip":"dynamic","ip6":"dynamic"},
             {"network":"dual","ip":"none"},
             {"network":"dual","ip6":"none"},
             {"network":"dual"},
             {"network":"small","ip":"10.62.0.7/8","ip6":"fd00:62::7"}]
            """);
        var seen = await pod.RunAsync("""
            sh -c 'cd /proc/sys/net/ipv6/conf; for i in eth0 net1 net2 net3 net4 net5 net6; do
                echo $i disable_ipv6=$(cat $i/disable_ipv6) accept_ra=$(cat $i/accept_ra) autoconf=$(cat $i/autoconf) ndisc_notify=$(cat $i/ndisc_notify)
                ip -o address show dev $i; ip -d -o link show dev $i
            done'
            """);
        var of = (await Task.FromResult(seen)).Split('\n').ToLookup(l => (string[])["eth0", "net1", "net2", "net3", "net4", "net5", "net6"] is var names
            ? names.FirstOrDefault(n => l.StartsWith($"{n} ", StringComparison.Ordinal) || l.Contains($": {n}", StringComparison.Ordinal)) ?? "" : "");

        const string Off = "disable_ipv6=1", On = "disable_ipv6=0 accept_ra=0 autoconf=0 ndisc_notify=1";
        Expect("eth0", Off, 1400, "inet 10.61.0.");
        Expect("net1", On, 1400, "inet6 fd00:61::", "inet6 fe80:");
        Expect("net2", On, 1400, "inet 10.61.0.", "inet6 fd00:61::", "inet6 fe80:");
        Expect("net3", Off, 1400);
        Expect("net4", On, 1400, "inet6 fe80:");
        Expect("net5", Off, 1400);
        Expect("net6", On, 1300, "inet 10.62.0.7/24", "inet6 fd00:62::7/64", "inet6 fe80:");
        (await pod.CheckAsync()).Succeeded();
        (await pod.DelAsync()).Succeeded();

        void Expect(string name, string switches, int mtu, params string[] addresses)
        {
            var lines = of[name].ToList();
            lines.Should().Contain(l => l.StartsWith($"{name} {switches}", StringComparison.Ordinal), seen);
            lines.Should().Contain(l => l.Contains("ipvlan  mode l2 ") && l.Contains($"mtu {mtu} ") && l.Contains("LOWER_UP"), seen);
            var got = lines.Where(l => l.Contains(" inet")).ToList();
            got.Should().HaveCount(addresses.Length, seen);
            foreach (var address in addresses)
                got.Should().Contain(l => l.Contains(address), seen);
            got.Where(l => l.Contains("inet6 fd00")).Should().OnlyContain(l => !l.Contains("tentative") && l.Contains("nodad"), seen);
        }
    }

    [Test]
    public async Task Neighbours_of_a_former_holder_learn_the_new_one_at_once()
    {
        const string Stale = "02:00:00:00:00:99";
        var observer = await AddAsync("observer", """[{"network":"dual","ip":"10.61.0.200","ip6":"fd00:61::200"}]""");
        await observer.RunAsync($"sh -c 'for a in 10.61.0.99 fd00:61::99; do ip neigh replace $a lladdr {Stale} nud stale dev eth0; done'");
        (await observer.RunAsync("ip neigh show dev eth0")).Should().Contain($"10.61.0.99 lladdr {Stale}").And.Contain($"fd00:61::99 lladdr {Stale}");

        var pod = await AddAsync("announcer", """[{"network":"dual","ip":"10.61.0.99","ip6":"fd00:61::99"}]""");

        var mac = (await HostAsync("cat /sys/class/net/parent0/address")).Trim();
        var neighbours = await observer.RunAsync("sh -c 'for i in 1 2 3 4 5; do ip neigh show dev eth0 | grep -q " + Stale + " || break; sleep 0.2; done; ip neigh show dev eth0'");
        neighbours.Should().Contain($"10.61.0.99 lladdr {mac}").And.Contain($"fd00:61::99 lladdr {mac}");
        (await pod.DelAsync()).Succeeded();
        (await observer.DelAsync()).Succeeded();
    }

    [Test]
    public async Task An_interface_that_was_there_before_fails_ADD_and_stays()
    {
        var pod = await PodAsync("occupied", """[{"network":"small","ip":"dynamic"},{"network":"dual","ip":"dynamic"}]""");
        await pod.RunAsync("ip link add net1 type dummy");
        (await pod.AddAsync()).Failed(109).Msg.Should().Contain("net1");
        (await pod.RunAsync("ip -o link show type ipvlan")).Should().BeEmpty();
        (await pod.DelAsync()).Succeeded();
        (await pod.RunAsync("ip -d -o link show net1")).Should().Contain("dummy");
        await pod.DeleteNamespaceAsync();
    }
}
