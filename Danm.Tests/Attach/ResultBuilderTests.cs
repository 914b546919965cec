using System.Net;
using Danm.Api;
using Danm.Attach;
using Danm.Cni;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Tests.Attach;

public sealed class ResultBuilderTests
{
    private static readonly AttachedInterface[] Attached = [Made("eth0", 1500, "10.0.0.5/24", "fd00::5/64"), Made("ext1", 9000), Made("eth2", 1450, "10.0.0.6/24")];

    [Test]
    public void Interfaces_and_their_addresses_keep_the_annotations_order()
    {
        var result = ResultBuilder.Build(Attached, "/run/netns/x");

        result.Interfaces.Select(i => (i.Name, i.Mac, i.Mtu, i.Sandbox)).Should().Equal(
            ("eth0", "02:00:00:00:00:05", 1500u, "/run/netns/x"), ("ext1", "02:00:00:00:00:05", 9000u, "/run/netns/x"), ("eth2", "02:00:00:00:00:05", 1450u, "/run/netns/x"));
        result.Ips.Select(i => (i.Address.ToString(), i.Gateway?.ToString(), i.Interface)).Should().Equal(
            ("10.0.0.5/24", "10.0.0.1", 0), ("fd00::5/64", (string?)null, 0), ("10.0.0.6/24", "10.0.0.1", 2));
    }

    [Test]
    public void Routes_come_with_the_table_that_they_are_in()
    {
        var result = ResultBuilder.Build(Attached[..1], "/run/netns/x");

        result.Routes.Select(r => (r.Destination.ToString(), r.Gateway?.ToString(), r.Table)).Should().Equal(
            ("0.0.0.0/0", "10.0.0.1", (uint?)null), ("fd01::/64", "fd00::1", null), ("10.2.0.0/16", "10.0.0.2", 100u));
    }

    [Test]
    public void What_earlier_plugins_of_the_runtimes_list_made_comes_first_and_stays()
    {
        var previous = new CniResult
        {
            Interfaces = [new CniInterface("cali0"), new CniInterface("eth9") { Sandbox = "/run/netns/x" }],
            Ips = [new CniIp(CidrAddress.Parse("10.9.0.5/24"), null, 1)],
            Routes = [new CniRoute(CidrAddress.Parse("10.8.0.0/16"), null)],
            Dns = new CniDns { Nameservers = ["10.9.0.1"] },
        };

        var result = ResultBuilder.Build(Attached, "/run/netns/x", previous);

        result.Interfaces.Select(i => i.Name).Should().Equal("cali0", "eth9", "eth0", "ext1", "eth2");
        result.Ips.Select(i => (i.Address.ToString(), i.Interface)).Should().Equal(("10.9.0.5/24", 1), ("10.0.0.5/24", 2), ("fd00::5/64", 2), ("10.0.0.6/24", 4));
        result.Routes[0].Destination.ToString().Should().Be("10.8.0.0/16");
        result.Dns!.Nameservers.Should().Equal("10.9.0.1");
    }

    [Test]
    public void Nothing_attached_is_an_empty_result()
    {
        var result = ResultBuilder.Build([], "/run/netns/x");

        (result.Interfaces.Count + result.Ips.Count + result.Routes.Count).Should().Be(0);
    }

    [Test]
    public void The_journal_gets_what_CHECK_needs() =>
        Attached[0].ToRecord().Should().BeEquivalentTo(new AttachmentRecord
        {
            Interface = "eth0",
            Network = "DanmNet/ns/n",
            EndpointId = Attached[0].Attachment.EndpointId,
            Mac = "02:00:00:00:00:05",
            Addresses = ["10.0.0.5/24", "fd00::5/64"],
            Routes = [new RouteRecord("0.0.0.0/0", "10.0.0.1", 254), new RouteRecord("fd01::/64", "fd00::1", 254), new RouteRecord("10.2.0.0/16", "10.0.0.2", 100)],
            Table = 100,
        });

    private static AttachedInterface Made(string name, int mtu, params string[] addresses)
    {
        var network = AttachmentPlannerTests.Network(new NetworkOptions
        {
            HostDevice = "ens4", Cidr = "10.0.0.0/24", Net6 = "fd00::/64", RoutingTable = 100,
            Routes = new() { ["0.0.0.0/0"] = "10.0.0.1" }, Routes6 = new() { ["fd01::/64"] = "fd00::1" },
        });
        var request = AttachmentPlannerTests.Ask(network, addresses.Length > 0 ? IPRequest.Dynamic : default, addresses.Length > 1 ? IPRequest.Dynamic : default) with
        {
            PolicyRoutes = [AttachmentPlannerTests.Route("10.2.0.0/16", "10.0.0.2")],
        };
        var attachment = AttachmentPlannerTests.Plan([request], [network])[0] with { Interface = name };
        var routes = RoutePlan.Of(network, request, addresses.Length > 0, addresses.Length > 1);
        return new AttachedInterface(attachment, [.. addresses.Select(a => CidrAddress.Parse(a))], new Link { Index = 7, Name = name, Mtu = mtu, Address = new MacAddress([2, 0, 0, 0, 0, 5]) }, routes);
    }
}
