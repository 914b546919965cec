using System.Net;
using Danm.Api;
using Danm.Cni;
using Danm.FakeIpam;
using Danm.Netlink;
using Danm.Tests.Attach;

namespace Danm.Tests.FakeIpam;

public sealed class AddressPlanTests
{
    private static readonly IPAllocationOwner Owner = new() { ContainerId = "c1", Interface = "eth0" };

    [TestCase("", "10.0.0.5/24 fd00::5/64", true)]
    [TestCase("10.0.0.5 fd00::5", "10.0.0.5/24 fd00::5/64", true)]
    [TestCase("10.0.0.6", "10.0.0.5/24 fd00::5/64", false)]
    [TestCase("", "10.0.0.5/24", false)]
    [TestCase("", "fd00::5/64", false)]
    [TestCase("", "", false)]
    [TestCase("", "10.0.0.5/16 fd00::5/64", false)]
    [TestCase("", "10.1.0.5/24 fd00::5/64", false)]
    [TestCase("", "10.0.0.254/24 fd00::5/64", false)]
    [TestCase("", "10.0.0.5/24 10.0.0.6/24 fd00::5/64", false)]
    public void Addresses_of_an_earlier_ADD_are_kept_if_they_are_what_is_asked_for_now(string wanted, string had, bool kept) =>
        Plan(new NetworkOptions { Cidr = "10.0.0.0/24", Net6 = "fd00::/64", Routes = new() { ["0.0.0.0/0"] = "10.0.0.254" } }, wanted)
            .IsMetBy([.. Words(had).Select(a => CidrAddress.Parse(a))]).Should().Be(kept);

    [TestCase("10.0.0.5/24", true)]
    [TestCase("10.0.0.5/24 fd00::5/64", false)]
    public void A_family_that_the_network_has_no_more_is_not_kept(string had, bool kept) =>
        Plan(new NetworkOptions { Cidr = "10.0.0.0/24" }).IsMetBy([.. Words(had).Select(a => CidrAddress.Parse(a))]).Should().Be(kept);

    [Test]
    public void Containers_of_no_Pod_begin_at_different_addresses()
    {
        var names = Enumerable.Range(0, 200).Select(i => Make(
            new NetworkOptions { Cidr = "10.0.0.0/16" }, "", Owner with { ContainerId = $"c{i}" }).IPv4!.Names[0]);

        names.Distinct().Count().Should().BeGreaterThan(190);
    }

    [Test]
    public void A_network_without_addresses_is_refused() =>
        FluentActions.Invoking(() => Plan(new NetworkOptions())).Should().Throw<CniException>()
            .Which.Should().Match<CniException>(e => e.Code == 102 && e.Msg.Contains("neither cidr nor net6"));

    [Test]
    public void A_network_that_breaks_a_rule_is_refused() =>
        FluentActions.Invoking(() => Plan(new NetworkOptions { Cidr = "10.0.0.0/24", Routes = new() { ["0.0.0.0/0"] = "10.1.0.1" } })).Should().Throw<CniException>()
            .Which.Should().Match<CniException>(e => e.Code == 102 && e.Msg.Contains("spec.Options.routes"));

    private static AddressPlan Plan(NetworkOptions options, string wanted = "") => Make(options, wanted, Owner);

    private static AddressPlan Make(NetworkOptions options, string wanted, IPAllocationOwner owner)
    {
        options.HostDevice = "ens4";
        var addresses = Words(wanted).Select(a => IPAddress.Parse(a)).ToList();
        return AddressPlan.Make(
            AttachmentPlannerTests.Network(options), owner, null, new RequestedAddresses(addresses.Find(a => !a.ToString().Contains(':')), addresses.Find(a => a.ToString().Contains(':'))), null);
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
