using Danm.Api;
using Danm.Netwatcher;

namespace Danm.Tests.Netwatcher;

[TestFixture]
public sealed class AttachmentNamesTests
{
    [TestCase(null, "")]
    [TestCase("", "")]
    [TestCase("radio", "ran/radio")]
    [TestCase("radio, core/other@net1 ,third@eth5", "ran/radio core/other ran/third")]
    [TestCase("""[{"name":"radio"},{"name":"other","namespace":"core","interface":"net1"}]""", "ran/radio core/other")]
    [TestCase("""[{"name":"radio"},7,null]""", "ran/radio")]
    [TestCase("[not JSON", "")]
    [TestCase("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "")]
    public void Reads_both_spellings_of_the_annotation(string? annotation, string expected)
    {
        var pod = new ObjectMeta { Namespace = "ran", Annotations = annotation is null ? null : new() { ["k8s.v1.cni.cncf.io/networks"] = annotation } };
        string.Join(' ', AttachmentNames.Of(pod).Select(n => $"{n.Namespace}/{n.Name}")).Should().Be(expected);
    }

    [Test]
    public void The_default_network_that_a_Pod_asks_for_counts_too() =>
        AttachmentNames.Of(new ObjectMeta { Namespace = "ran", Annotations = new() { ["v1.multus-cni.io/default-network"] = "kube-system/main" } })
            .Should().ContainSingle().Which.Name.Should().Be("main");
}
