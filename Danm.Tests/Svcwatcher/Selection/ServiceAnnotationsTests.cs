using Danm.Api;
using Danm.Svcwatcher.Selection;

namespace Danm.Tests.Svcwatcher.Selection;

[TestFixture]
public sealed class ServiceAnnotationsTests
{
    [TestCase("""{"app":"db"}""", "app=db")]
    [TestCase("""{"tier":"back","app":"db"}""", "app=db,tier=back")]
    [TestCase("""{"app":""}""", "app=")]
    [TestCase(""" { "app" : "db" } """, "app=db")]
    public void A_selector_is_an_object_of_labels(string selector, string labels)
    {
        var (choice, fault) = Read(("danm.io/selector", selector), ("danm.io/network", "n"));

        fault.Should().BeNull();
        choice!.Labels.Select(l => $"{l.Key}={l.Value}").Should().Equal(labels.Split(','));
    }

    [TestCase("""{"app":"db"},{"x":"y"}""", "is not a JSON object")]
    [TestCase("""[{"app":"db"}]""", "must be a JSON object")]
    [TestCase("app=db", "is not a JSON object")]
    [TestCase("{}", "is empty")]
    [TestCase("null", "must be a JSON object")]
    [TestCase("""{"app":1}""", "must give 'app' a text")]
    [TestCase("""{"app":{"a":"b"}}""", "must give 'app' a text")]
    [TestCase("""{"app":"a","app":"b"}""", "has 'app' twice")]
    [TestCase("""{"app":"no spaces"}""", "which no label can have")]
    [TestCase("""{"app":"db"} x""", "is not a JSON object")]
    [TestCase("""{"app":"\ud800"}""", "is not a JSON object")]
    public void What_is_none_is_told(string selector, string says)
    {
        var (choice, fault) = Read(("danm.io/selector", selector), ("danm.io/network", "n"));

        choice.Should().BeNull();
        fault.Should().StartWith("danm.io/selector").And.Contain(says);
    }

    [Test]
    public void Networks_are_alternatives_and_those_of_a_namespace_are_the_Services()
    {
        var (choice, _) = Read(("danm.io/selector", """{"a":"b"}"""), ("danm.io/network", "n"), ("danm.io/tenantNetwork", "t"), ("danm.k8s.io/clusterNetwork", "c"));

        choice!.Networks.Should().Equal(
            new NetworkRef(NetworkKind.DanmNet, "ns", "n"), new NetworkRef(NetworkKind.TenantNetwork, "ns", "t"), new NetworkRef(NetworkKind.ClusterNetwork, null, "c"));
    }

    [Test]
    public void Both_prefixes_may_say_the_same()
    {
        var (choice, fault) = Read(("danm.io/selector", """{"a":"b","c":"d"}"""), ("danm.k8s.io/selector", """{ "c":"d", "a":"b" }"""), ("danm.io/network", "n"), ("danm.k8s.io/network", "n"));

        fault.Should().BeNull();
        choice!.Networks.Should().HaveCount(1);
    }

    [TestCase("danm.io/selector", "danm.k8s.io/selector", """{"a":"b"}""", """{"a":"c"}""")]
    [TestCase("danm.io/network", "danm.k8s.io/network", "n", "m")]
    public void Both_prefixes_that_differ_are_an_error(string name, string legacy, string value, string other)
    {
        var (choice, fault) = Read(("danm.io/selector", """{"a":"b"}"""), ("danm.io/network", "n"), (name, value), (legacy, other));

        choice.Should().BeNull();
        fault.Should().Be($"{legacy} says something else than {name}: remove one of them");
    }

    [TestCase("danm.io/selector", """{"a":"b"}""", "the network is missing")]
    [TestCase("danm.io/clusterNetwork", "n", "danm.io/selector is missing")]
    public void Half_of_it_is_told(string name, string value, string says) => Read((name, value)).Fault.Should().Contain(says);

    [TestCase("danm.io/network", true)]
    [TestCase("danm.k8s.io/selector", true)]
    [TestCase("danm.io/interfaces", false)]
    public void Only_these_annotations_make_a_Service_ours(string name, bool isOurs)
    {
        ServiceAnnotations.Has(new Dictionary<string, string> { [name] = "x" }).Should().Be(isOurs);
        ServiceAnnotations.Has(new Dictionary<string, string> { [name] = "" }).Should().BeFalse();
    }

    private static (ServiceChoice? Choice, string? Fault) Read(params (string Name, string Value)[] annotations)
    {
        var all = new Dictionary<string, string>();
        foreach (var (name, value) in annotations)
            all[name] = value;
        return ServiceAnnotations.Read(all, "ns");
    }
}
