using System.Net;
using Danm.HostLinks;
using Danm.Netlink;

namespace Danm.Tests.HostLinks;

[TestFixture]
public sealed class HeadEndReplicationTests
{
    private static readonly Link Vxlan = new() { Index = 7, Name = "vx_a" };

    [Test]
    public void What_is_missing_is_added_and_what_is_too_much_goes()
    {
        var plan = Plan(["192.0.2.2", "192.0.2.3"], isComplete: true, Entry("192.0.2.3"), Entry("192.0.2.4"))!;

        plan.Added.Should().Equal(IPAddress.Parse("192.0.2.2"));
        plan.Removed.Should().Equal(Entry("192.0.2.4"));
    }

    [Test]
    public void While_not_all_nodes_are_known_nothing_goes()
    {
        Plan([], isComplete: false, Entry("192.0.2.4")).Should().BeNull();
        Plan(["192.0.2.2"], isComplete: false, Entry("192.0.2.4"))!.Removed.Should().BeEmpty();
    }

    [Test]
    public void What_was_learnt_and_other_interfaces_entries_are_left_alone() =>
        Plan([], isComplete: true, Entry("192.0.2.4") with { Address = new MacAddress([2, 0, 0, 0, 0, 1]) }, Entry("192.0.2.5") with { LinkIndex = 8 }).Should().BeNull();

    [Test]
    public void A_multicast_groups_entry_goes_by_the_device_that_it_names()
    {
        var group = Entry("239.0.2.88") with { Via = 3 };
        Plan([], isComplete: true, group)!.Removed.Should().Equal(group);
    }

    private static Neighbour Entry(string remote) => new(7, IPAddress.Parse(remote), MacAddress.Zero);

    private static HeadEndReplication? Plan(string[] remotes, bool isComplete, params Neighbour[] present) =>
        HeadEndReplication.Plan(Vxlan, remotes.Select(IPAddress.Parse).ToHashSet(), present, isComplete);
}
