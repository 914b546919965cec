using Danm.Api;
using Danm.Svcwatcher.CoreEndpoints;

namespace Danm.Tests.Svcwatcher.CoreEndpoints;

/// <summary>The object that old clients read.</summary>
public sealed class EndpointsTemplateTests
{
    [Test]
    public void Both_families_are_one_subset_and_what_is_not_ready_is_apart()
    {
        var endpoints = EndpointsTemplate.Make(Sights.Of(Sights.Headless("IPv4", "IPv6"), Sights.Member("a", "10.0.0.1/24", "fd00::1/64"), Sights.Member("b", "10.0.0.2/24", ready: "False")), null);

        var subset = endpoints.Subsets.Should().ContainSingle().Subject;
        subset.Addresses!.Select(a => a.Ip).Should().Equal("10.0.0.1", "fd00::1");
        subset.NotReadyAddresses!.Select(a => a.Ip).Should().Equal("10.0.0.2");
        subset.Ports.Should().Equal(new EndpointPort { Name = "sql", Protocol = "TCP", Port = 5432 });
        subset.Addresses![0].TargetRef.Should().Be(new EndpointTarget { Kind = "Pod", Namespace = "ns", Name = "a", Uid = "uid-a" });
    }

    [Test]
    public void The_Services_annotations_are_copied_and_Kubernetes_does_not_mirror_it()
    {
        var service = Sights.Headless("IPv4");
        service.Metadata.Labels = new() { ["team"] = "blue" };
        service.Metadata.Annotations!["endpoints.kubernetes.io/over-capacity"] = "truncated";

        var endpoints = EndpointsTemplate.Make(Sights.Of(service), "2026-01-02T03:04:05Z");

        endpoints.Subsets.Should().BeNull();
        endpoints.Metadata.Labels.Should().Equal(new Dictionary<string, string>
        {
            ["team"] = "blue", ["endpoints.kubernetes.io/managed-by"] = "svcwatcher.danm.io", ["endpointslice.kubernetes.io/skip-mirror"] = "true", ["service.kubernetes.io/headless"] = "",
        });
        endpoints.Metadata.Annotations.Should().Equal(new Dictionary<string, string>
        {
            ["danm.io/selector"] = """{"app":"db"}""", ["danm.io/network"] = "n", ["endpoints.kubernetes.io/last-change-trigger-time"] = "2026-01-02T03:04:05Z",
        });
        endpoints.Metadata.OwnerReferences.Should().ContainSingle(o => o.Uid == "service" && o.Controller == true);
    }

    [TestCase(1000, 0, 1000, 0, false)]
    [TestCase(1001, 0, 1000, 0, true)]
    [TestCase(900, 200, 900, 100, true)]
    [TestCase(1200, 5, 1000, 0, true)]
    public void A_thousand_addresses_at_most_are_shown_and_ready_ones_first(int ready, int notReady, int shownReady, int shownNotReady, bool truncated)
    {
        var members = Enumerable.Range(0, ready + notReady).Select(i => Sights.Member($"p{i}", $"10.0.{i / 250}.{(i % 250) + 1}/16", ready: i < notReady ? "False" : "True"));

        var endpoints = EndpointsTemplate.Make(Sights.Of(Sights.Headless("IPv4"), members), null);

        (endpoints.Subsets![0].Addresses?.Count ?? 0, endpoints.Subsets[0].NotReadyAddresses?.Count ?? 0).Should().Be((shownReady, shownNotReady));
        (endpoints.Metadata.Annotations!.GetValueOrDefault("endpoints.kubernetes.io/over-capacity") == "truncated").Should().Be(truncated);
    }

    [Test]
    public void What_ends_is_left_out_unless_the_Service_publishes_all()
    {
        var ends = Sights.Member("a", "10.0.0.1/24");
        ends.Pod!.Metadata.DeletionTimestamp = "2026-01-01T00:00:00Z";
        var service = Sights.Headless("IPv4");

        EndpointsTemplate.Make(Sights.Of(service, ends), null).Subsets.Should().BeNull();
        service.Spec.PublishNotReadyAddresses = true;
        EndpointsTemplate.Make(Sights.Of(service, ends), null).Subsets![0].Addresses!.Select(a => a.Ip).Should().Equal("10.0.0.1");
    }

    [Test]
    public void Order_and_the_trigger_time_are_no_difference_and_all_else_is()
    {
        Endpoints Make(string? trigger = null, Action<Service>? change = null)
        {
            var service = Sights.Headless("IPv4");
            change?.Invoke(service);
            return EndpointsTemplate.Make(Sights.Of(service, Sights.Member("a", "10.0.0.1/24"), Sights.Member("b", "10.0.0.2/24")), trigger);
        }

        var present = Make("2026-01-02T03:04:05Z");
        present.Subsets![0].Addresses!.Reverse();

        EndpointsTemplate.IsSame(present, Make()).Should().BeTrue();
        EndpointsTemplate.IsSame(present, Make(change: s => s.Spec.Ports![0].Port = 1)).Should().BeFalse();
        EndpointsTemplate.IsSame(present, Make(change: s => s.Metadata.Annotations!["x"] = "y")).Should().BeFalse();
        EndpointsTemplate.IsSame(present, Make(change: s => s.Metadata.Labels = new() { ["x"] = "y" })).Should().BeFalse();
        EndpointsTemplate.IsSame(present, Make(change: s => s.Metadata.Uid = "later")).Should().BeFalse();
        EndpointsTemplate.IsSame(present, EndpointsTemplate.Make(Sights.Of(Sights.Headless("IPv4"), Sights.Member("a", "10.0.0.1/24"), Sights.Member("b", "10.0.0.2/24", ready: "False")), null)).Should().BeFalse();
    }

    [TestCase("endpoints.kubernetes.io/managed-by", "svcwatcher.danm.io", null, true, Description = "ours")]
    [TestCase("endpoints.kubernetes.io/managed-by", "endpoint-controller", "danm.io/selector", false, Description = "Kubernetes' own")]
    [TestCase(null, null, "danm.io/selector", true, Description = "the original's master's")]
    [TestCase(null, null, "danm.k8s.io/selector", true, Description = "the original's releases'")]
    [TestCase(null, null, "note", false, Description = "made by hand")]
    public void Ours_and_the_originals_are_taken_and_no_others(string? label, string? value, string? annotation, bool expected)
    {
        var metadata = new ObjectMeta { Labels = label is null ? null : new() { [label] = value! }, Annotations = annotation is null ? null : new() { [annotation] = """{"a":"b"}""" } };

        EndpointsTemplate.IsOurs(metadata).Should().Be(expected);
    }
}
