using System.Net;
using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.HostLinks;

public sealed class LinkPlanTests
{
    private static readonly Link Device = new() { Index = 2, Name = "ens4", Mtu = 1500, Flags = LinkFlags.Up };
    private static readonly Link OtherDevice = new() { Index = 3, Name = "ens5", Mtu = 9000, Flags = LinkFlags.Up };

    private static readonly WantedLink Vlan = new("ClusterNetwork/vl", new("vl.500", "ens4", Encapsulation.Vlan, 500), null, "2026-01-01T00:00:00Z");
    private static readonly WantedLink Vxlan = new("ClusterNetwork/vx", new("vx_vx", "ens4", Encapsulation.Vxlan, 600), null, "2026-01-01T00:00:00Z");

    private static readonly Link VlanLink = new()
    {
        Index = 10, Name = "vl.500", Kind = new LinkKind.Vlan(500), ParentIndex = 2, Mtu = 1500, Flags = LinkFlags.Up, Alias = "danm:vlan500.ens4",
    };

    private static readonly Link VxlanLink = new()
    {
        Index = 11, Name = "vx_vx", Kind = new LinkKind.Vxlan(600) { UnderlayIndex = 2 }, ParentIndex = 2, Mtu = 1450, Flags = LinkFlags.Up, Alias = "danm:vxlan600.ens4",
    };

    [Test]
    public void What_is_missing_is_made() =>
        Steps([Vlan, Vxlan]).Should().Equal(new LinkStep.Make(Vlan), new LinkStep.Make(Vxlan));

    [Test]
    public void What_is_there_is_left_alone() => Steps([Vlan, Vxlan], VlanLink, VxlanLink).Should().BeEmpty();

    [Test]
    public void Networks_that_share_an_interface_have_one_and_it_stays_for_the_last_of_them()
    {
        var second = Vlan with { Network = "ClusterNetwork/second" };

        Steps([Vlan, second]).Should().Equal(new LinkStep.Make(second));
        Steps([second], VlanLink).Should().BeEmpty();
        Steps([], VlanLink).Should().Equal(new LinkStep.Delete(VlanLink));
    }

    [Test]
    public void While_not_all_networks_are_known_nothing_goes() =>
        LinkPlan.Of([], Host([VlanLink]), isComplete: false).Steps.Should().BeEmpty();

    [Test]
    public void While_not_all_networks_are_known_nothing_is_replaced_or_resized_but_what_is_missing_is_made()
    {
        var misfit = VlanLink with { Kind = new LinkKind.Vlan(501) };
        var small = VxlanLink with { Mtu = 1300 };

        var plan = LinkPlan.Of([Vlan, Vxlan with { Mtu = 1400 }, Vlan with { Network = "DanmNet/a/b", Parent = Vlan.Parent with { Name = "new.7", Vni = 7 } }], Host([misfit, small]), isComplete: false);

        plan.Steps.Should().ContainSingle().Which.Should().BeOfType<LinkStep.Make>().Which.Wanted.Parent.Name.Should().Be("new.7");
        plan.Problems.Should().BeEmpty("it cannot be told yet");
    }

    [Test]
    public void What_others_or_Pods_stand_on_over_another_of_ours_stays()
    {
        var upper = VlanLink with { Index = 20, Name = "up.7", Kind = new LinkKind.Vlan(7), ParentIndex = VlanLink.Index, Alias = "danm:vlan7.vl.500" };

        LinkPlan.Of([], Host([VlanLink, upper], inUse: ["up.7"]), isComplete: true).Steps.Should().BeEmpty();
        Steps([], VlanLink, upper with { Alias = "my own" }).Should().BeEmpty();
        Steps([], VlanLink, upper).Should().Equal(new LinkStep.Delete(VlanLink), new LinkStep.Delete(upper));
        Steps([new("DanmNet/a/up", new("up.7", "vl.500", Encapsulation.Vlan, 7), null, "2026")], VlanLink, upper).Should().BeEmpty("a network wants what is on it");
    }

    [Test]
    public void What_Pods_stand_on_stays() => LinkPlan.Of([], Host([VlanLink], inUse: ["vl.500"]), isComplete: true).Steps.Should().BeEmpty();

    [TestCase(null)]
    [TestCase("my own")]
    public void Interfaces_of_others_never_go(string? alias) => Steps([], VlanLink with { Alias = alias }).Should().BeEmpty();

    [Test]
    public void Only_VLANs_and_VxLANs_are_ours_whatever_an_alias_says() =>
        Steps([], VlanLink with { Kind = new LinkKind.Bridge() }, Device with { Index = 20, Name = "ens9", Alias = "danm:x" }).Should().BeEmpty();

    [Test]
    public void One_that_fits_and_has_no_alias_is_adopted()
    {
        var found = VlanLink with { Alias = null };

        Steps([Vlan], found).Should().Equal(new LinkStep.Adopt(found, Vlan));
        Steps([Vlan], VlanLink with { Alias = "my own" }).Should().BeEmpty("its owner's word stands");
    }

    [Test]
    public void An_adopted_one_goes_only_if_it_has_neither_addresses_nor_a_bridge()
    {
        var adopted = VlanLink with { Alias = LinkPlan.AdoptedPrefix + "VLAN 500" };
        var bridge = new Link { Index = 30, Name = "br0", Kind = new LinkKind.Bridge() };

        Steps([], adopted).Should().Equal(new LinkStep.Delete(adopted));
        LinkPlan.Of([], Host([adopted], addresses: [10]), isComplete: true).Steps.Should().BeEmpty();
        Steps([], adopted with { MasterIndex = 30 }, bridge).Should().BeEmpty();
        LinkPlan.Of([], Host([VlanLink], addresses: [10]), isComplete: true).Steps.Should().Equal(new LinkStep.Delete(VlanLink));
    }

    private static readonly Link[] Misfits =
    [
        VlanLink with { Kind = new LinkKind.Vlan(501) },
        VlanLink with { ParentIndex = 3 },
        VlanLink with { Kind = new LinkKind.Vlan(500, Protocol: 0x88a8) },
    ];

    [TestCaseSource(nameof(Misfits))]
    public void One_of_ours_that_does_not_fit_any_more_is_replaced(Link misfit) =>
        Steps([Vlan], misfit).Should().Equal(new LinkStep.Delete(misfit), new LinkStep.Make(Vlan));

    [TestCaseSource(nameof(Misfits))]
    public void One_that_does_not_fit_and_is_in_use_waits(Link misfit)
    {
        var plan = LinkPlan.Of([Vlan], Host([misfit], inUse: ["vl.500"]), isComplete: true);

        plan.Steps.Should().BeEmpty();
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("\"vl.500\"").And.Contain("in use");
    }

    [Test]
    public void One_that_does_not_fit_and_is_not_ours_is_a_problem()
    {
        var plan = LinkPlan.Of([Vlan], Host([VlanLink with { Alias = null, Kind = new LinkKind.Vlan(501) }]), isComplete: true);

        plan.Steps.Should().BeEmpty();
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("\"vl.500\"").And.Contain("VLAN 500").And.Contain("remove or rename");
    }

    [Test]
    public void Of_two_that_want_one_name_differently_the_older_has_it()
    {
        var younger = Vlan with { Network = "ClusterNetwork/younger", Parent = Vlan.Parent with { HostDevice = "ens5" }, Created = "2026-02-01T00:00:00Z" };

        var plan = LinkPlan.Of([younger, Vlan], Host([]), isComplete: true);

        plan.Steps.Should().Equal(new LinkStep.Make(Vlan));
        plan.Problems.Should().ContainSingle().Which.Should().Match<LinkProblem>(p => p.Network == younger.Network && p.Message.Contains("ClusterNetwork/vl"));
    }

    [Test]
    public void Of_two_that_want_one_name_differently_the_one_with_Pods_on_it_keeps_it()
    {
        var younger = Vlan with { Network = "ClusterNetwork/younger", Parent = Vlan.Parent with { HostDevice = "ens5" }, Created = "2026-02-01T00:00:00Z" };
        var itsLink = VlanLink with { ParentIndex = 3, Mtu = 9000 };

        var plan = LinkPlan.Of([Vlan, younger], Host([itsLink], inUse: ["vl.500"]), isComplete: true);

        plan.Steps.Should().BeEmpty();
        plan.Problems.Should().ContainSingle().Which.Network.Should().Be(Vlan.Network);
    }

    [Test]
    public void One_id_on_one_device_has_one_name()
    {
        var second = Vlan with { Network = "ClusterNetwork/z", Parent = Vlan.Parent with { Name = "other.500" } };

        var plan = LinkPlan.Of([Vlan, second], Host([]), isComplete: true);

        plan.Steps.Should().Equal(new LinkStep.Make(Vlan));
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("same NetworkID");
    }

    [Test]
    public void An_id_of_VxLANs_is_there_once_whatever_the_device()
    {
        var second = Vxlan with { Network = "ClusterNetwork/z", Parent = Vxlan.Parent with { Name = "vx_z", HostDevice = "ens5" } };

        var plan = LinkPlan.Of([Vxlan, second], Host([]), isComplete: true);

        plan.Steps.Should().Equal(new LinkStep.Make(Vxlan));
        plan.Problems.Should().ContainSingle().Which.Should().Match<LinkProblem>(p => p.Network == second.Network && p.Message.Contains("another id"));
        Steps([Vlan, Vlan with { Network = "ClusterNetwork/z", Parent = Vlan.Parent with { Name = "z.500", HostDevice = "ens5" } }]).Should().HaveCount(2, "a VLAN's is its device's");
    }

    [Test]
    public void Ids_that_change_places_are_all_free_before_the_first_is_taken()
    {
        var second = Vxlan with { Network = "ClusterNetwork/z", Parent = Vxlan.Parent with { Name = "vx_z", Vni = 601 } };
        var first = VxlanLink with { Kind = new LinkKind.Vxlan(601) { UnderlayIndex = 2 } };
        var other = VxlanLink with { Index = 12, Name = "vx_z" };

        Steps([Vxlan, second], first, other).Should().Equal(
            new LinkStep.Delete(first), new LinkStep.Delete(other), new LinkStep.Make(Vxlan), new LinkStep.Make(second));
    }

    [TestCase("danm:vlan500.ens4", "in use")]
    [TestCase(null, "remove it")]
    public void An_id_that_does_not_become_free_is_not_asked_for(string? alias, string why)
    {
        var renamed = Vlan with { Parent = Vlan.Parent with { Name = "new.500" } };

        var plan = LinkPlan.Of([renamed], Host([VlanLink with { Alias = alias }], inUse: ["vl.500"]), isComplete: true);

        plan.Steps.Should().BeEmpty();
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("\"vl.500\"").And.Contain(why);
    }

    [Test]
    public void A_network_of_other_nodes_devices_takes_no_name_here()
    {
        var elsewhere = Vlan with { Network = "ClusterNetwork/elsewhere", Parent = Vlan.Parent with { HostDevice = "ens9" }, Created = "2025-01-01T00:00:00Z" };

        var plan = LinkPlan.Of([elsewhere, Vlan], Host([]), isComplete: true);

        plan.Steps.Should().Equal(new LinkStep.Make(Vlan));
        plan.Problems.Should().ContainSingle().Which.Should().Match<LinkProblem>(p => p.Network == elsewhere.Network && p.IsLocal);
    }

    [Test]
    public void All_networks_that_share_an_interface_hear_why_it_is_not_there()
    {
        var plan = LinkPlan.Of([Vlan, Vlan with { Network = "ClusterNetwork/second" }], Host([VlanLink with { Alias = null, Kind = new LinkKind.Bridge() }]), isComplete: true);

        plan.Problems.Select(p => p.Network).Should().BeEquivalentTo("ClusterNetwork/vl", "ClusterNetwork/second");
    }

    [Test]
    public void A_VxLAN_is_not_tried_on_a_device_without_an_address()
    {
        var plan = LinkPlan.Of([Vxlan], new HostState([Device], new HashSet<string>(), new HashSet<int>()), isComplete: true);

        plan.Steps.Should().BeEmpty();
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("\"ens4\" has no global address");
    }

    [Test]
    public void A_changed_NetworkID_frees_the_id_before_it_is_taken()
    {
        var renamed = Vlan with { Parent = Vlan.Parent with { Name = "new.500" } };

        Steps([renamed], VlanLink).Should().Equal(new LinkStep.Delete(VlanLink), new LinkStep.Make(renamed));
    }

    [Test]
    public void A_missing_device_is_a_problem_of_this_node()
    {
        var plan = LinkPlan.Of([Vlan with { Parent = Vlan.Parent with { HostDevice = "ens9" } }], Host([]), isComplete: true);

        plan.Steps.Should().BeEmpty();
        plan.Problems.Should().ContainSingle().Which.Should().Match<LinkProblem>(p => p.IsLocal && p.Message.Contains("ens9"));
    }

    [Test]
    public void A_VLAN_has_its_networks_MTU_else_its_devices()
    {
        Steps([Vlan with { Mtu = 1400 }], VlanLink).Should().Equal(new LinkStep.Change(VlanLink, 1400, null));
        Steps([Vlan], VlanLink with { Mtu = 1400 }).Should().ContainSingle().Which.Should().BeOfType<LinkStep.Change>().Which.Mtu.Should().Be(1500);
        Steps([Vxlan with { Mtu = 1300 }], VxlanLink).Should().Equal(new LinkStep.Change(VxlanLink, 1300, null));
        Steps([Vxlan], VxlanLink with { Mtu = 1300 }).Should().BeEmpty("the kernel's choice is not known");
    }

    [Test]
    public void An_MTU_over_the_devices_is_a_problem_and_the_devices_is_used()
    {
        var plan = LinkPlan.Of([Vlan with { Mtu = 9000 }], Host([VlanLink with { Mtu = 1400 }]), isComplete: true);

        plan.Steps.Should().ContainSingle().Which.Should().BeOfType<LinkStep.Change>().Which.Mtu.Should().Be(1500);
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("9000").And.Contain("1500");
        Steps([Vlan with { Mtu = 9000 }]).Should().Equal(new LinkStep.Make(Vlan));
    }

    [TestCase("192.0.2.1", 1450)]
    [TestCase("2001:db8::1", 1430)]
    public void A_VxLAN_has_room_for_its_outer_headers(string local, int most)
    {
        var large = VxlanLink with { Mtu = 1500, Kind = new LinkKind.Vxlan(600) { UnderlayIndex = 2, Local = IPAddress.Parse(local) } };

        var plan = LinkPlan.Of([Vxlan with { Mtu = 1500 }], Host([large]), isComplete: true);

        plan.Steps.Should().ContainSingle().Which.Should().BeOfType<LinkStep.Change>().Which.Mtu.Should().Be(most);
        plan.Problems.Should().ContainSingle().Which.Message.Should().Contain("1500").And.Contain($"{most}");
        Steps([Vxlan], large).Should().ContainSingle().Which.Should().BeOfType<LinkStep.Change>().Which.Mtu.Should().Be(most, "its device has become smaller");
    }

    [Test]
    public void One_that_somebody_took_down_comes_up_again_but_not_while_its_device_is_down()
    {
        var down = VlanLink with { Flags = LinkFlags.None };

        Steps([Vlan], down).Should().Equal(new LinkStep.Change(down, null, true));
        LinkPlan.Of([Vlan], new HostState([Device with { Flags = LinkFlags.None }, down], new HashSet<string>(), new HashSet<int>()), isComplete: true).Steps.Should().BeEmpty();
    }

    private static IReadOnlyList<LinkStep> Steps(WantedLink[] wishes, params Link[] links)
    {
        var plan = LinkPlan.Of(wishes, Host(links), isComplete: true);
        plan.Problems.Should().BeEmpty();
        return plan.Steps;
    }

    private static HostState Host(Link[] links, string[]? inUse = null, int[]? addresses = null) =>
        new([Device, OtherDevice, .. links], (inUse ?? []).ToHashSet(), new HashSet<int>([Device.Index, OtherDevice.Index, .. addresses ?? []]));
}
