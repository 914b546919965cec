using Danm.Api;
using Danm.Svcwatcher.Inspection;
using Danm.Svcwatcher.Slices;

namespace Danm.Tests.Svcwatcher.Inspection;

/// <summary>Why an interface is in a Service, or not.</summary>
public sealed class ServiceInspectorTests
{
    private static readonly Action<PodInterfaceRecord> Nothing = _ => { };

    private static IEnumerable<TestCaseData> Interfaces()
    {
        yield return Case("is published", Nothing, "True", null);
        yield return Case("is published though it is not ready", Nothing, "False", null);
        yield return Case("of another network", r => r.Spec.NetworkName = "other", "True", "on DanmNet 'other'");
        yield return Case("of another kind of network", r => r.Spec.ApiType = "ClusterNetwork", "True", "on ClusterNetwork 'n'");
        yield return Case("without the label", r => r.Metadata.Labels!.Clear(), "True", "label 'app' is missing");
        yield return Case("with another label", r => r.Metadata.Labels!["app"] = "web", "True", "label 'app' is 'web', not 'db'");
        yield return Case("of an earlier Pod", r => r.Spec.PodUid = "before", "True", "the DanmEp is of an earlier Pod of this name");
        yield return Case("of no Pod", r => r.Spec.Pod = "nobody", "True", "no such Pod");
        yield return Case("that is being deleted", r => r.Metadata.DeletionTimestamp = "2026-01-01T00:00:00Z", "True", "the DanmEp is being deleted");
        yield return Case("without an address", r => r.Spec.Interface.Address = "none", "True", "it has no address that a Service can lead to");
        yield return Case("of another family", r => (r.Spec.Interface.Address, r.Spec.Interface.AddressIPv6) = ("", "fd00::1/64"), "True", "it has IPv6 only, and the Service's ipFamilies are IPv4");

        static TestCaseData Case(string name, Action<PodInterfaceRecord> change, string ready, string? whyNot) => new TestCaseData(change, ready, whyNot).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Interfaces))]
    public void An_interface(Action<PodInterfaceRecord> change, string ready, string? whyNot)
    {
        var member = Sights.Member("a", "10.0.0.1/24", ready: ready);
        change(member.Record);

        var inspected = ServiceInspector.Inspect(Sights.Headless("IPv4"), [member.Record], [member.Pod!], []).Interfaces.Should().ContainSingle().Subject;

        inspected.WhyNot.Should().Be(whyNot);
        inspected.Endpoints.Select(e => (e.Addresses[0], e.Conditions.Ready)).Should().Equal(whyNot is null ? [("10.0.0.1", ready == "True")] : []);
    }

    [Test]
    public void Of_two_interfaces_the_one_that_counts_is_named()
    {
        var (a, b) = (Sights.Member("a", "10.0.0.1/24"), Sights.Member("b", "10.0.0.1/24", ready: "False"));
        var (before, after) = (Sights.Member("c", "10.0.0.3/24", name: "c1", created: "2026-01-01T00:00:00Z"), Sights.Member("c", "10.0.0.4/24", name: "c2", created: "2026-01-02T00:00:00Z"));

        var inspection = ServiceInspector.Inspect(Sights.Headless("IPv4"), [b.Record, before.Record, after.Record, a.Record], [a.Pod!, b.Pod!, after.Pod!], []);

        inspection.Interfaces.Select(i => (i.Record.Metadata.Name, i.WhyNot)).Should().Equal(
            ("a-ep", null), ("c2", null), ("b-ep", "10.0.0.1 leads to Pod a, which has it too"), ("c1", "a later interface of this Pod counts"));
    }

    [Test]
    public void Pods_with_the_labels_and_no_such_interface_are_named()
    {
        var a = Sights.Member("a", "10.0.0.1/24");
        var other = Sights.Member("b", "10.0.0.2/24");
        other.Record.Spec.NetworkName = "other";
        foreach (var pod in (BackingPod[])[a.Pod!, other.Pod!])
            pod.Metadata.Labels = new() { ["app"] = "db" };
        var ended = new BackingPod { Metadata = new ObjectMeta { Name = "c", Labels = new() { ["app"] = "db" } }, Status = new BackingPodStatus { Phase = "Succeeded" } };

        ServiceInspector.Inspect(Sights.Headless("IPv4"), [a.Record, other.Record], [a.Pod!, other.Pod!, ended], []).PodsWithout.Should().Equal("b");
    }

    [Test]
    public void Slices_are_held_against_what_they_should_be()
    {
        var service = Sights.Headless("IPv4");
        var (a, b) = (Sights.Member("a", "10.0.0.1/24"), Sights.Member("b", "10.0.0.2/24"));
        var written = SlicePlanner.Plan(Sights.Of(service, a, b), [], null).Create.Single();
        written.Metadata.Name = "db-1";

        Differences().Should().BeEmpty();

        written.Endpoints[0] = written.Endpoints[0] with { Conditions = new EndpointConditions { Ready = false, Serving = false, Terminating = false } };
        written.Endpoints[1] = written.Endpoints[1] with { Addresses = ["10.0.0.9"] };
        written.Ports[0] = written.Ports[0] with { Port = 1 };
        Differences().Should().Equal(
            "db-1 has not the Service's ports or labels", "db-1 shows 10.0.0.1 as it was before", "db-1 leads to 10.0.0.9, which it should not", " 10.0.0.2 is in no EndpointSlice");

        written.Metadata.OwnerReferences![0].Uid = "before";
        Differences().Should().Contain("db-1 belongs to an earlier Service of this name");

        written.Metadata.Labels!["endpointslice.kubernetes.io/managed-by"] = "endpointslicemirroring-controller.k8s.io";
        Differences().Should().Contain("db-1 is written by endpointslicemirroring-controller.k8s.io and not by Danm, and clients read it too (2 endpoints): Kubernetes makes it of the Endpoints of the Service's name; delete those if they are left of another tool");

        service.Metadata.Annotations = null;
        Differences().Should().BeEmpty("others rightly publish for a Service that is not ours");

        IEnumerable<string> Differences() => ServiceInspector.Inspect(service, [a.Record, b.Record], [a.Pod!, b.Pod!], [written]).Differences.Select(d => $"{d.Slice} {d.Message}");
    }
}
