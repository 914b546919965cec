using Danm.Api;
using Danm.Cni;
using Danm.FakeIpam;

namespace Danm.Tests.FakeIpam;

public sealed class NetworkNameTests
{
    [TestCase("ClusterNetwork/x", null, NetworkKind.ClusterNetwork, null, "x")]
    [TestCase("ClusterNetwork/a.b", "pods", NetworkKind.ClusterNetwork, null, "a.b")]
    [TestCase("TenantNetwork/x", "pods", NetworkKind.TenantNetwork, "pods", "x")]
    [TestCase("DanmNet/x", "pods", NetworkKind.DanmNet, "pods", "x")]
    [TestCase("TenantNetwork/ns/x", null, NetworkKind.TenantNetwork, "ns", "x")]
    [TestCase("DanmNet/ns/x", "pods", NetworkKind.DanmNet, "ns", "x")]
    public void Names_a_network(string text, string? podNamespace, NetworkKind kind, string? ns, string name) =>
        NetworkName.Read(text, podNamespace).Should().Be(new NetworkRef(kind, ns, name));

    [TestCase("x")]
    [TestCase("")]
    [TestCase("/")]
    [TestCase("/x")]
    [TestCase("ClusterNetwork/")]
    [TestCase("ClusterNetwork//x")]
    [TestCase("ClusterNetwork/ns/x")]
    [TestCase("clusternetwork/x")]
    [TestCase("DanmNet/ns/x/y")]
    [TestCase("DanmNet//x")]
    [TestCase("DanmNet/ns/../x")]
    [TestCase("DanmNet/ns/X")]
    [TestCase("DanmNet/ns/x\n")]
    public void Anything_else_is_refused_with_the_text_in_quotes(string text) =>
        FluentActions.Invoking(() => NetworkName.Read(text, "pods")).Should().Throw<CniException>()
            .Which.Should().Match<CniException>(e => e.Code == 7 && e.Msg.Contains(CniText.Quote(text)) && !e.Msg.Contains('\n'));

    [Test]
    public void Without_a_Pod_a_namespace_must_be_named() =>
        FluentActions.Invoking(() => NetworkName.Read("TenantNetwork/x", null)).Should().Throw<CniException>()
            .Which.Msg.Should().Contain("TenantNetwork/NAMESPACE/x");
}
