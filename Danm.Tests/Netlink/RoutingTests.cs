using System.Net;
using System.Net.Sockets;
using Danm.Netlink;

namespace Danm.Tests.Netlink;

public class RoutingTests
{
    private TemporaryNamespace _ns = null!;
    private RouteSocket _ip = null!;
    private int _eth0;

    [SetUp]
    public void SetUp()
    {
        _ns = new TemporaryNamespace();
        _ip = _ns.OpenRoute();
        _ip.AddLink(new LinkSpec("eth0", new LinkKind.Veth("peer")) { Up = true });
        _eth0 = _ip.GetLink("eth0")!.Index;
        _ip.SetLink(_ip.GetLink("peer")!.Index, new LinkChange { Up = true });
    }

    [TearDown]
    public void TearDown()
    {
        _ip.Dispose();
        _ns.Dispose();
    }

    private static CidrAddress Cidr(string text) => CidrAddress.Parse(text);

    [Test]
    public void Adds_and_deletes_addresses()
    {
        _ip.AddAddress(_eth0, Cidr("10.0.0.5/24"));
        _ip.AddAddress(_eth0, Cidr("10.0.1.0/31"));
        _ip.AddAddress(_eth0, Cidr("fd00::5/64"), noDad: true);

        var infos = _ns.IpJson("addr show dev eth0").Single().GetProperty("addr_info").EnumerateArray().ToList();
        infos.Single(i => i.GetProperty("local").GetString() == "10.0.0.5").GetProperty("broadcast").GetString().Should().Be("10.0.0.255");
        infos.Single(i => i.GetProperty("local").GetString() == "10.0.1.0").TryGetProperty("broadcast", out _).Should().BeFalse();
        var six = infos.Single(i => i.GetProperty("local").GetString() == "fd00::5");
        six.GetProperty("nodad").GetBoolean().Should().BeTrue();
        six.TryGetProperty("tentative", out _).Should().BeFalse();

        var own = _ip.DumpAddresses(_eth0);
        own.Select(a => a.Address).Should().Contain([Cidr("10.0.0.5/24"), Cidr("10.0.1.0/31"), Cidr("fd00::5/64")]);
        own.Should().OnlyContain(a => a.LinkIndex == _eth0);
        own.Single(a => a.Address == Cidr("fd00::5/64")).Flags.Should().HaveFlag(AddressFlags.NoDad);
        own.Count.Should().Be(infos.Count);
        _ip.DumpAddresses().Count.Should().BeGreaterThan(own.Count, "the peer has a link-local address");

        var again = () => _ip.AddAddress(_eth0, Cidr("10.0.0.5/24"));
        again.Should().Throw<NetlinkException>().WithMessage($"add address \"10.0.0.5/24 dev {_eth0}\": file exists (EEXIST)*");
        _ip.AddAddress(_eth0, Cidr("fd00::5/64"), noDad: true, replace: true);
        _ip.DeleteAddress(_eth0, Cidr("10.0.0.5/24")).Should().BeTrue();
        _ip.DeleteAddress(_eth0, Cidr("10.0.0.5/24")).Should().BeFalse();
        _ip.DeleteAddress(_eth0, Cidr("fd00::5/64")).Should().BeTrue();
        _ip.DumpAddresses(4711).Should().BeEmpty();
    }

    [TestCase("10.1.0.0/16", "10.0.0.1", 254u, false, null, null, TestName = "Route_main_IPv4")]
    [TestCase("0.0.0.0/0", "10.0.0.1", 254u, false, null, 50u, TestName = "Route_default_with_metric")]
    [TestCase("10.1.0.0/16", "10.0.0.1", 300u, false, null, null, TestName = "Route_table_300")]
    [TestCase("10.1.0.0/16", "192.168.7.1", 4294967295u, true, "10.0.0.5", null, TestName = "Route_onlink_in_the_last_table")]
    [TestCase("10.2.0.0/24", null, 10u, false, "10.0.0.5", null, TestName = "Route_to_the_link")]
    [TestCase("fd01::/64", "fd00::1", 254u, false, null, null, TestName = "Route_main_IPv6")]
    [TestCase("::/0", "fd00::1", 300u, false, null, 7u, TestName = "Route_default_IPv6_in_table_300")]
    [TestCase("fd02::/48", "fe80::1", 300u, true, null, null, TestName = "Route_onlink_IPv6")]
    public void Adds_and_deletes_routes(string destination, string? gateway, uint table, bool onLink, string? source, uint? metric)
    {
        _ip.AddAddress(_eth0, Cidr("10.0.0.5/24"));
        _ip.AddAddress(_eth0, Cidr("fd00::5/64"), noDad: true);
        var route = new Route(Cidr(destination))
        {
            Gateway = gateway is null ? null : IPAddress.Parse(gateway),
            LinkIndex = _eth0,
            Table = table,
            OnLink = onLink,
            PreferredSource = source is null ? null : IPAddress.Parse(source),
            Metric = metric,
        };

        _ip.AddRoute(route);

        var family = route.Destination.IsIPv6 ? "-6" : "-4";
        var dst = route.Destination.PrefixLength == 0 ? "default" : destination;
        var json = _ns.IpJson($"{family} route show table {table}").Single(j => j.GetProperty("dst").GetString() == dst && j.GetProperty("protocol").GetString() == "boot");
        json.GetProperty("dev").GetString().Should().Be("eth0");
        (json.TryGetProperty("gateway", out var via) ? via.GetString() : null).Should().Be(gateway);
        (json.TryGetProperty("prefsrc", out var src) ? src.GetString() : null).Should().Be(source);
        json.GetProperty("flags").EnumerateArray().Any(f => f.GetString() == "onlink").Should().Be(onLink);

        var read = _ip.DumpRoutes(table, _eth0).Single(r => r.Destination == route.Destination);
        read.Should().Be(route with { Scope = read.Scope, Metric = read.Metric });
        if (metric is not null)
            read.Metric.Should().Be(metric);
        _ip.DumpRoutes().Should().Contain(read);

        var again = () => _ip.AddRoute(route);
        again.Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.EEXIST);
        _ip.DeleteRoute(route).Should().BeTrue();
        _ip.DeleteRoute(route).Should().BeFalse();
        _ip.DumpRoutes(table, _eth0).Should().NotContain(read);
    }

    [Test]
    public void Names_an_unreachable_gateway()
    {
        var add = () => _ip.AddRoute(new Route(Cidr("10.1.0.0/16")) { Gateway = IPAddress.Parse("172.16.0.1"), LinkIndex = _eth0, Table = 10 });
        add.Should().Throw<NetlinkException>()
            .WithMessage($"add route \"10.1.0.0/16 via 172.16.0.1 dev {_eth0} table 10\": network is unreachable (ENETUNREACH): Nexthop has invalid gateway");
        _ip.DumpRoutes(4711).Should().BeEmpty();
    }

    [TestCase("10.0.0.5/32", 300u, null)]
    [TestCase("10.0.0.0/24", 10u, 1000u)]
    [TestCase("fd00::5/128", 300u, null)]
    public void Adds_and_deletes_rules(string source, uint table, uint? priority)
    {
        var rule = new Rule(Cidr(source), table) { Priority = priority };
        _ip.AddRule(rule);

        var read = _ip.DumpRules().Single(r => r.Source == rule.Source);
        read.Should().Be(rule with { Priority = priority ?? read.Priority });
        read.Priority.Should().Be(priority ?? 32765u);
        var json = _ns.IpJson($"{(rule.Family == AddressFamily.InterNetworkV6 ? "-6" : "-4")} rule show")
            .Single(j => j.GetProperty("src").GetString() == source[..source.IndexOf('/')]);
        json.GetProperty("table").GetString().Should().Be(table.ToString());

        var again = () => _ip.AddRule(read);
        again.Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.EEXIST);
        _ip.DeleteRule(rule).Should().BeTrue();
        _ip.DeleteRule(rule).Should().BeFalse();
    }

    [Test]
    public void Reads_the_rules_that_are_always_there_and_those_it_cannot_express()
    {
        _ns.Ip("rule add from 10.0.0.9 iif eth0 lookup 99");
        var rules = _ip.DumpRules();
        rules.Where(r => r.Source is null).Should().HaveCount(5).And.OnlyContain(r => r.IsPlain);
        rules.Single(r => r.Table == 99).IsPlain.Should().BeFalse();
    }

    [Test]
    public void Adds_and_deletes_neighbours()
    {
        var mac = new MacAddress([2, 0, 0, 0, 0, 7]);
        foreach (var text in (string[])["10.0.0.9", "fd00::9"])
        {
            var address = IPAddress.Parse(text);
            _ip.AddNeighbour(new Neighbour(_eth0, address, mac));
            _ip.DumpNeighbours(_eth0).Should().Contain(new Neighbour(_eth0, address, mac));
            _ns.IpJson("neigh show dev eth0 nud permanent").Should().Contain(j => j.GetProperty("dst").GetString() == text && j.GetProperty("lladdr").GetString() == "02:00:00:00:00:07");
            _ip.DeleteNeighbour(_eth0, address).Should().BeTrue();
        }
    }

    [Test]
    public void Appends_remote_ends_to_a_vxlan()
    {
        _ip.AddAddress(_eth0, Cidr("10.0.0.5/24"));
        _ip.AddLink(new LinkSpec("vx_a", new LinkKind.Vxlan(7) { UnderlayIndex = _eth0, Local = IPAddress.Parse("10.0.0.5") }) { Up = true });
        var vx = _ip.GetLink("vx_a")!.Index;
        IPAddress[] remotes = [IPAddress.Parse("10.0.0.6"), IPAddress.Parse("10.0.0.7")];
        foreach (var remote in remotes)
            _ip.AppendForwarding(vx, MacAddress.Zero, remote);

        _ip.DumpForwarding(vx).Where(n => n.Address == MacAddress.Zero).Select(n => n.Destination).Should().BeEquivalentTo(remotes);
        _ns.BridgeJson("fdb show dev vx_a").Where(j => j.GetProperty("mac").GetString() == "00:00:00:00:00:00").Select(j => j.GetProperty("dst").GetString())
            .Should().BeEquivalentTo("10.0.0.6", "10.0.0.7");
        _ip.DeleteForwarding(new Neighbour(vx, remotes[0], MacAddress.Zero));
        _ip.DeleteForwarding(new Neighbour(vx, remotes[0], MacAddress.Zero));
        _ip.DeleteForwarding(new Neighbour(vx, remotes[0], new MacAddress([2, 0, 0, 0, 0, 1])));
        _ip.DumpForwarding(vx).Where(n => n.Address == MacAddress.Zero).Select(n => n.Destination).Should().Equal(remotes[1]);
    }

    [Test]
    public void A_batch_names_the_request_that_failed_and_carries_out_the_others()
    {
        using var batch = _ip.NewBatch();
        batch.AddAddress(_eth0, Cidr("10.0.0.5/24"));
        batch.DeleteAddress(_eth0, Cidr("10.9.9.9/24"));
        batch.AddRoute(new Route(Cidr("10.1.0.0/16")) { Gateway = IPAddress.Parse("10.0.0.1"), LinkIndex = _eth0 });
        batch.Count.Should().Be(3);
        batch.Send().Should().Be(2, "the address to delete was not there");
        batch.Count.Should().Be(0);

        batch.AddAddress(_eth0, Cidr("10.0.3.5/24"));
        batch.AddAddress(_eth0, Cidr("10.0.0.5/24"));
        batch.AddRule(new Rule(Cidr("10.0.0.5/32"), 300));
        var send = () => batch.Send();
        send.Should().Throw<NetlinkException>().Which.Operation.Should().Be($"add address \"10.0.0.5/24 dev {_eth0}\"");
        _ip.DumpAddresses(_eth0).Should().Contain(a => a.Address == Cidr("10.0.3.5/24"));
        _ip.DumpRules().Should().Contain(r => r.Table == 300);
    }

    [Test]
    public void A_batch_of_a_thousand_requests_is_carried_out_to_the_last()
    {
        using var batch = _ip.NewBatch();
        for (var i = 0; i < 1000; i++)
            batch.AddRoute(new Route(new CidrAddress(new IPAddress([10, 1, (byte)(i >> 8), (byte)i]), 32)) { LinkIndex = _eth0, Table = 300 });
        batch.Send().Should().Be(1000);
        _ip.DumpRoutes(300).Should().HaveCount(1000);
    }
}
