using CsCheck;
using Danm.Api;
using Danm.Kube;

namespace Danm.Tests.Kube;

public sealed class ResourcePathTests
{
    [Test]
    public void Paths_are_those_of_the_API_conventions()
    {
        ResourcePath.Core("pods", "default", "a").ToString().Should().Be("/api/v1/namespaces/default/pods/a");
        ResourcePath.Core("nodes", null, "n").ToString().Should().Be("/api/v1/nodes/n");
        ResourcePath.Core("events", "default").ToString().Should().Be("/api/v1/namespaces/default/events");
        ResourcePath.Danm("ipallocations", null).ToString().Should().Be("/apis/danm.io/v1/ipallocations");
        ResourcePath.Of(new NetworkRef(NetworkKind.DanmNet, "ns", "n")).ToString().Should().Be("/apis/danm.io/v1/namespaces/ns/danmnets/n");
        ResourcePath.Of(new NetworkRef(NetworkKind.TenantNetwork, "ns", "n")).ToString().Should().Be("/apis/danm.io/v1/namespaces/ns/tenantnetworks/n");
        ResourcePath.Of(new NetworkRef(NetworkKind.ClusterNetwork, null, "n")).ToString().Should().Be("/apis/danm.io/v1/clusternetworks/n");
    }

    [TestCase("a/b", "a%2Fb")]
    [TestCase("../secrets/x", "..%2Fsecrets%2Fx")]
    [TestCase("a?x=1", "a%3Fx%3D1")]
    [TestCase("a#b", "a%23b")]
    [TestCase("a%2Fb", "a%252Fb")]
    [TestCase("a\\b", "a%5Cb")]
    [TestCase("a b", "a%20b")]
    [TestCase("a\r\nb", "a%0D%0Ab")]
    [TestCase("a;b", "a%3Bb")]
    [TestCase("é", "%C3%A9")]
    public void A_name_is_one_segment_whatever_it_holds(string name, string escaped)
    {
        ResourcePath.Core("pods", "default", name).ToString().Should().Be($"/api/v1/namespaces/default/pods/{escaped}");
        ResourcePath.Danm("danmeps", name, "a").ToString().Should().Be($"/apis/danm.io/v1/namespaces/{escaped}/danmeps/a");
    }

    // As an URL goes over the wire it is normalised first.
    [Test]
    public void No_name_leads_to_another_resource() =>
        Gen.Select(Gen.String[Gen.Char["a/.%2F\\?#: \n"], 1, 8], Gen.String[Gen.Char["a/.%2F\\?#: \n"], 1, 8]).Where(pair => IsMoreThanDots(pair.Item1) && IsMoreThanDots(pair.Item2))
            .Sample((ns, name) =>
            {
                var url = new Uri(new Uri("https://server:6443"), ResourcePath.Core("pods", ns, name).ToString());

                url.Host.Should().Be("server");
                url.Query.Should().BeEmpty();
                url.Fragment.Should().BeEmpty();
                var segments = url.AbsolutePath.Split('/');
                segments.Should().HaveCount(7);
                segments[..4].Should().Equal("", "api", "v1", "namespaces");
                Uri.UnescapeDataString(segments[4]).Should().Be(ns);
                segments[5].Should().Be("pods");
                Uri.UnescapeDataString(segments[6]).Should().Be(name);
            }, iter: 5000);

    private static bool IsMoreThanDots(string text) => text.Trim('.').Length > 0;
}
