using Danm.Api;
using Danm.Svcwatcher.Selection;

namespace Danm.Tests.Svcwatcher.Selection;

[TestFixture]
public sealed class DesiredEndpointsTests
{
    [TestCase("10.0.0.5/24", "10.0.0.5")]
    [TestCase("10.0.0.5", "10.0.0.5")]
    [TestCase("", null)]
    [TestCase("none", null)]
    [TestCase("dynamic", null)]
    [TestCase("fd00::5/64", null)]
    [TestCase("127.0.0.1/8", null)]
    [TestCase("169.254.1.1/16", null)]
    [TestCase("224.0.0.1/4", null)]
    [TestCase("0.0.0.0/0", null)]
    [TestCase("10.0.0.5/24/24", "10.0.0.5")]
    [TestCase("10.0.0.05", null)]
    public void An_IPv4_address_is_published_where_it_is_one(string text, string? address) =>
        InterfaceRules.AddressOf(Sights.Member("p", text).Record, isIPv6: false).Should().Be(address);

    [TestCase("FD00:0:0::5/64", "fd00::5")]
    [TestCase("fe80::1/64", null)]
    [TestCase("ff02::1", null)]
    [TestCase("::1/128", null)]
    [TestCase("::ffff:10.0.0.1", null)]
    [TestCase("10.0.0.5/24", null)]
    public void An_IPv6_address_is_published_in_its_canonical_spelling(string text, string? address) =>
        InterfaceRules.AddressOf(Sights.Member("p", "", text).Record, isIPv6: true).Should().Be(address);

    [TestCase("True", false, false, "ready,serving")]
    [TestCase("False", false, false, "")]
    [TestCase("Unknown", false, false, "")]
    [TestCase("True", true, false, "serving,terminating")]
    [TestCase("False", true, false, "terminating")]
    [TestCase("False", false, true, "ready")]
    [TestCase("True", true, true, "ready,serving,terminating")]
    public void Conditions_are_those_of_the_Pod(string ready, bool isTerminating, bool publishesAll, string conditions)
    {
        var service = Sights.Headless("IPv4");
        service.Spec.PublishNotReadyAddresses = publishesAll;
        var member = Sights.Member("p", "10.0.0.1", ready: ready);
        member.Pod!.Metadata.DeletionTimestamp = isTerminating ? "2026-01-01T00:00:00Z" : null;

        var found = DesiredEndpoints.Of(Sights.Of(service, member), "IPv4").Single().Conditions;

        string.Join(',', new[] { found.Ready == true ? "ready" : null, found.Serving == true ? "serving" : null, found.Terminating == true ? "terminating" : null }.OfType<string>())
            .Should().Be(conditions);
    }

    [Test]
    public void The_original_annotation_publishes_all_too()
    {
        var service = Sights.Headless("IPv4");
        service.Metadata.Annotations!["service.alpha.kubernetes.io/tolerate-unready-endpoints"] = "true";

        DesiredEndpoints.Of(Sights.Of(service, Sights.Member("p", "10.0.0.1", ready: "False")), "IPv4").Single().Conditions.Ready.Should().BeTrue();
    }

    [TestCase("uid-p", "Running", null, true)]
    [TestCase("uid-of-the-one-before", "Running", null, false)]
    [TestCase("", "Running", null, true)]
    [TestCase("uid-p", "Succeeded", null, false)]
    [TestCase("uid-p", "Failed", null, false)]
    [TestCase("uid-p", "Running", "2026-01-01T00:00:00Z", false)]
    public void Only_the_interface_of_a_living_Pod_counts(string uid, string phase, string? deleted, bool isListed)
    {
        var member = Sights.Member("p", "10.0.0.1");
        member.Record.Spec.PodUid = uid;
        member.Record.Metadata.DeletionTimestamp = deleted;
        member.Pod!.Status.Phase = phase;

        DesiredEndpoints.Of(Sights.Of(Sights.Headless(), member), "IPv4").Should().HaveCount(isListed ? 1 : 0);
    }

    [Test]
    public void An_interface_without_a_UID_that_is_older_than_the_Pod_is_not_its_own()
    {
        var member = Sights.Member("p", "10.0.0.1", created: "2025-12-31T23:59:59Z");
        member.Record.Spec.PodUid = null;

        DesiredEndpoints.Of(Sights.Of(Sights.Headless(), member), "IPv4").Should().BeEmpty();
    }

    [Test]
    public void Of_two_sandboxes_of_a_Pod_the_later_ones_interface_counts() => DesiredEndpoints.Of(
        Sights.Of(Sights.Headless(), Sights.Member("p", "10.0.0.1", name: "a"), Sights.Member("p", "10.0.0.2", name: "b", created: "2026-01-01T00:00:01Z")), "IPv4")
        .Select(e => e.Addresses[0]).Should().Equal("10.0.0.2");

    [TestCase("", "DanmNet", "10.0.0.2")]
    [TestCase("DanmNet", "", "10.0.0.2")]
    [TestCase("DanmNet", "ClusterNetwork", "10.0.0.1 10.0.0.2")]
    public void An_interface_is_the_same_however_its_kind_is_written(string kind, string later, string addresses)
    {
        var (one, two) = (Sights.Member("p", "10.0.0.1", name: "a"), Sights.Member("p", "10.0.0.2", name: "b", created: "2026-01-01T00:00:01Z"));
        (one.Record.Spec.ApiType, two.Record.Spec.ApiType) = (kind, later);

        string.Join(' ', DesiredEndpoints.Of(Sights.Of(Sights.Headless(), one, two), "IPv4").Select(e => e.Addresses[0])).Should().Be(addresses);
    }

    [Test]
    public void Of_two_Pods_with_one_address_the_ready_one_counts() => DesiredEndpoints.Of(
        Sights.Of(Sights.Headless(), Sights.Member("p", "10.0.0.1"), Sights.Member("q", "10.0.0.1", ready: "False", created: "2026-01-01T00:00:01Z")), "IPv4")
        .Select(e => e.TargetRef!.Name).Should().Equal("p");
}
