using System.Net;
using Danm.Api;
using Danm.Attach;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Networks;

namespace Danm.Tests.Attach;

public sealed class AttachmentPlannerTests
{
    private static readonly PodSandbox Sandbox = new(
        new Pod { Metadata = new ObjectMeta { Name = "amf-0", Namespace = "ns", Uid = "api-uid" } }, "runtime-uid", "c1", "cid1", "/run/netns/x", "node-1");

    [Test]
    public void Everything_that_can_be_known_before_is_in_the_plan()
    {
        var network = Network(new NetworkOptions
        {
            HostDevice = "ens4", Vlan = 500, Cidr = "10.0.0.0/24", Net6 = "fd00::/64", RoutingTable = 100,
            Routes = new() { ["10.1.0.0/16"] = "10.0.0.1" }, Routes6 = new() { ["fd01::/64"] = "fd00::1" },
        });
        var request = Ask(network, IPRequest.Dynamic, new IPRequest(IPRequestKind.Static, IPAddress.Parse("fd00::5"))) with
        {
            PolicyRoutes = [Route("10.2.0.0/16", "10.0.0.2")], PolicyRoutes6 = [Route("fd02::/64", "fd00::2")],
        };

        var attachment = Plan([request], [network]).Should().ContainSingle().Subject;

        attachment.Interface.Should().Be("eth0");
        attachment.EndpointId.Should().Be(EndpointId.For("runtime-uid", "c1", "eth0"));
        attachment.Parent.Should().Be(new ParentLink("n.500", "ens4", Encapsulation.Vlan, 500));
        var routes = RoutePlan.Of(network, request, ipv4: true, ipv6: true);
        routes.Main.Should().Equal(Route("10.1.0.0/16", "10.0.0.1"), Route("fd01::/64", "fd00::1"));
        routes.Policy.Should().Equal(Route("10.2.0.0/16", "10.0.0.2"), Route("fd02::/64", "fd00::2"));
        routes.Table.Should().Be(100);
        routes.Warnings.Should().BeEmpty();
        attachment.Warnings.Should().BeEmpty();
        attachment.IPv4!.Claim.Should().BeEquivalentTo(new { Static = (IPAddress?)null, NodeName = "node-1", Segment = new Segment("vlan500.ens4", "vlan500.ens4") });
        attachment.IPv4.Claim.Owner.Should().Be(new IPAllocationOwner
        {
            Namespace = "ns", Pod = "amf-0", PodUid = "api-uid", ContainerId = "c1", Interface = "eth0", DanmEp = attachment.EndpointId,
        });
        attachment.IPv6!.Names.Should().Equal("fd00-0000-0000-0000-0000-0000-0000-0005.vlan500.ens4");
        attachment.Claims.Select(c => (c.Kind, c.Name, c.Uid, c.EndpointId)).Should().Equal(
            attachment.IPv4.Names.Select(n => ("IPAllocation", n, (string?)null, attachment.EndpointId))
                .Append(("IPAllocation", attachment.IPv6.Names[0], null, attachment.EndpointId))
                .Append(("DanmEp", attachment.EndpointId, null, attachment.EndpointId)));
        attachment.ToRecord().Should().BeEquivalentTo(new { Interface = "eth0", Network = "DanmNet/ns/n", attachment.EndpointId, Table = 100u });
    }

    // ip, ip6, whether the network has cidr, net6; which addresses are claimed and whose routes are set.
    [TestCase(IPRequestKind.Dynamic, IPRequestKind.NotAsked, true, true, "4")]
    [TestCase(IPRequestKind.NotAsked, IPRequestKind.Dynamic, true, true, "6")]
    [TestCase(IPRequestKind.Dynamic, IPRequestKind.Dynamic, true, true, "46")]
    [TestCase(IPRequestKind.None, IPRequestKind.None, true, true, "")]
    [TestCase(IPRequestKind.None, IPRequestKind.None, false, false, "")]
    [TestCase(IPRequestKind.NotAsked, IPRequestKind.NotAsked, true, true, "")]
    [TestCase(IPRequestKind.Dynamic, IPRequestKind.None, true, false, "4")]
    public void Addresses_and_routes_go_by_family(IPRequestKind ipv4, IPRequestKind ipv6, bool cidr, bool net6, string families)
    {
        var network = Network(new NetworkOptions
        {
            HostDevice = "ens4",
            Cidr = cidr ? "10.0.0.0/24" : null, Routes = cidr ? new() { ["10.1.0.0/16"] = "10.0.0.1" } : null,
            Net6 = net6 ? "fd00::/64" : "", Routes6 = net6 ? new() { ["fd01::/64"] = "fd00::1" } : null,
        });

        var attachment = Plan([Ask(network, new IPRequest(ipv4), new IPRequest(ipv6))], [network])[0];

        $"{(attachment.IPv4 is null ? "" : "4")}{(attachment.IPv6 is null ? "" : "6")}".Should().Be(families);
        var routes = RoutePlan.Of(network, attachment.Request, attachment.IPv4 is not null, attachment.IPv6 is not null);
        string.Concat(routes.Main.Select(r => r.Destination.IsIPv6 ? "6" : "4")).Should().Be(families);
    }

    [TestCase(IPRequestKind.Dynamic, 0u, "proutes of entry 0 (DanmNet/ns/n) skipped: the network has no spec.Options.rt_tables")]
    [TestCase(IPRequestKind.None, 7u, "proutes of entry 0 (DanmNet/ns/n) skipped: the interface has no address of that family")]
    [TestCase(IPRequestKind.NotAsked, 0u, "proutes of entry 0 (DanmNet/ns/n) skipped: the interface has no address of that family")]
    public void Policy_routes_that_cannot_be_are_skipped_aloud(IPRequestKind ipv4, uint table, string warning)
    {
        var network = Network(new NetworkOptions { HostDevice = "ens4", Cidr = "10.0.0.0/24", RoutingTable = table });
        var request = Ask(network, new IPRequest(ipv4)) with { PolicyRoutes = [Route("10.2.0.0/16", "10.0.0.2")] };

        var attachment = Plan([request], [network])[0];
        var routes = RoutePlan.Of(network, request, attachment.IPv4 is not null, attachment.IPv6 is not null);

        routes.Policy.Should().BeEmpty();
        routes.Warnings.Should().Equal(warning);
        new AttachedInterface(attachment, [], null, routes).ToRecord().Table.Should().Be(0, "no rule leads there");
    }

    [Test]
    public void Names_follow_the_position_or_the_legacy_scheme()
    {
        Network[] networks = [Network(Plain), Network(With(o => o.ContainerPrefix = "ext")), Network(With(o => o.ContainerPrefix = ""))];
        var requests = networks.Select((n, i) => Ask(n) with { Position = i }).ToArray();

        Plan(requests, networks).Select(a => a.Interface).Should().Equal("eth0", "ext1", "eth2");
        Plan(requests, networks, legacy: true).Select(a => a.Interface).Should().Equal("eth0", "ext", "eth2");
        Plan(requests, networks).Select(a => a.EndpointId).Should().OnlyHaveUniqueItems();
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        yield return Refused("a fault of the network", With(o => o.Vlan = 5000), default, CniErrorCode.InvalidNetwork, "*DanmNet/ns/n cannot be used: spec.Options.vlan: \"5000\"*");
        yield return Refused("a path for a name", With(o => o.HostDevice = "../x"), default, CniErrorCode.InvalidNetwork, "*spec.Options.host_device: \"../x\"*");
        yield return Refused("no device", With(o => o.HostDevice = null), default, CniErrorCode.InvalidNetwork, "*DanmNet/ns/n cannot be used: spec.Options.host_device: is missing*");
        yield return Refused("a host interface's name too long", With(o => (o.Vlan, o.HostDevice) = (4000, "ens4")), default, CniErrorCode.InvalidNetwork, "*spec.NetworkID: \"network-123\"*", id: "network-123");
        yield return Refused("no subnet of the family", Plain, IPRequest.Dynamic, CniErrorCode.InvalidAnnotation, "*DanmNet/ns/n has no cidr*");
        yield return Refused("outside the subnet", With(o => o.Cidr = "10.0.0.0/24"), Static("10.0.1.5"), CniErrorCode.InvalidAnnotation, "*10.0.1.5 is outside the subnet 10.0.0.0/24 of DanmNet/ns/n*");
        yield return Refused("reserved", With(o => o.Cidr = "10.0.0.0/24"), Static("10.0.0.255"), CniErrorCode.InvalidAnnotation, "*10.0.0.255 of DanmNet/ns/n is reserved*");
        yield return Refused("a pool outside the subnet", With(o => (o.Cidr, o.AllocationPool) = ("10.0.0.0/24", new AllocationPool { Start = "10.0.1.1" })), IPRequest.Dynamic, CniErrorCode.InvalidNetwork, "*allocation_pool.start: \"10.0.1.1\"*");
        yield return Refused("control characters", Plain, default, CniErrorCode.InvalidNetwork, "*\\u001b*", type: "a\u001b[31m");
    }

    [TestCaseSource(nameof(Refusals))]
    public void What_cannot_be_is_refused_before_anything_is_done(NetworkOptions options, IPRequest ipv4, int code, string message, string? type, string id)
    {
        var network = Network(options, type, id);

        var refused = FluentActions.Invoking(() => Plan([Ask(network, ipv4)], [network])).Should().Throw<CniException>().WithMessage(message).Which;

        refused.Code.Should().Be(code);
        refused.Message.Should().NotContain("\u001b");
    }

    [Test]
    public void All_networks_that_cannot_be_used_are_named_each_once()
    {
        var one = Network(With(o => o.Vlan = 5000), name: "one");
        var two = Network(Plain, id: "../two", name: "two");

        FluentActions.Invoking(() => Plan([Ask(one), Ask(two) with { Position = 1 }, Ask(one) with { Position = 2 }], [one, two, one])).Should().Throw<CniException>()
            .Which.Message.Should().Match("*DanmNet/ns/one*DanmNet/ns/two*").And.NotMatch("*DanmNet/ns/one*DanmNet/ns/one*");
    }

    [TestCase("ns", true)]
    [TestCase("other", false)]
    public void A_ClusterNetwork_is_for_its_tenants(string tenant, bool allowed)
    {
        var network = Network(Plain);
        (network.Kind, network.Metadata.Namespace, network.Spec.AllowedTenants) = (NetworkKind.ClusterNetwork, null, [tenant]);
        var plan = () => Plan([Ask(network)], [network]);

        if (allowed)
            plan.Should().NotThrow();
        else
            plan.Should().Throw<CniException>().WithMessage("*ClusterNetwork/n does not allow Pods of namespace ns*AllowedTenants*").Which.Code.Should().Be(CniErrorCode.TenantNotAllowed);
    }

    [Test]
    public void Two_interfaces_of_one_name_are_refused()
    {
        var network = Network(With(o => o.ContainerPrefix = "ext"));
        Network[] networks = [network, network, network];

        FluentActions.Invoking(() => Plan(networks.Select((n, i) => Ask(n) with { Position = i }).ToArray(), networks, legacy: true))
            .Should().Throw<CniException>().WithMessage("*DanmNet/ns/n*'ext'*").Which.Code.Should().Be(CniErrorCode.InvalidNetwork);
    }

    private static NetworkOptions Plain => new() { HostDevice = "ens4" };

    private static NetworkOptions With(Action<NetworkOptions> change)
    {
        var options = Plain;
        change(options);
        return options;
    }

    internal static Network Network(NetworkOptions options, string? type = null, string id = "n", string name = "n") => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "ns" },
        Spec = new NetworkSpec { NetworkId = id, NetworkType = type, Options = options },
    };

    internal static AttachmentRequest Ask(Network network, IPRequest ipv4 = default, IPRequest ipv6 = default) => new(0, network.Ref, ipv4, ipv6, [], []);

    internal static GatewayRoute Route(string destination, string gateway) => new(Danm.Netlink.CidrAddress.Parse(destination), IPAddress.Parse(gateway));

    internal static IReadOnlyList<Attachment> Plan(IReadOnlyList<AttachmentRequest> requests, IReadOnlyList<Network> networks, bool legacy = false) =>
        AttachmentPlanner.Plan(Sandbox, requests, networks, new Dictionary<NetworkRef, NetworkList>(), new CniRequest
        {
            Command = CniCommand.Add, ContainerId = "c1", IfName = "eth0", Netns = "/run/netns/x", Config = new NetConf { Name = "danm", LegacyNames = legacy },
        });

    private static IPRequest Static(string address) => new(IPRequestKind.Static, IPAddress.Parse(address));

    private static TestCaseData Refused(string name, NetworkOptions options, IPRequest ipv4, int code, string message, string? type = null, string id = "n") =>
        new TestCaseData(options, ipv4, code, message, type, id).SetArgDisplayNames(name);
}
