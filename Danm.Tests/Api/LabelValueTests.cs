using System.Text.RegularExpressions;
using CsCheck;
using Danm.Api;

namespace Danm.Tests.Api;

public sealed class LabelValueTests
{
    [TestCase("")]
    [TestCase("a")]
    [TestCase("node-1.example.com")]
    [TestCase("A_b.C-9")]
    public void A_legal_value_stays(string text) => LabelValue.For(text).Should().Be(text);

    [TestCase("vendor.io/pool")]
    [TestCase("-a")]
    [TestCase("a.")]
    [TestCase("ä")]
    [TestCase("0123456789012345678901234567890123456789012345678901234567890123")]
    [TestCase("sha256-00000000000000000000000000000000000000000000000000000000")]
    public void Any_other_text_becomes_a_hash(string text) =>
        LabelValue.For(text).Should().MatchRegex("^sha256-[0-9a-f]{56}$").And.NotBe(text);

    [Test]
    public void Every_text_gets_a_value_that_the_API_server_takes()
    {
        var legal = new Regex(@"\A(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z");
        Gen.OneOf(Gen.String, Gen.String["ab-._/A9"]).Sample(text => LabelValue.For(text) is { Length: <= 63 } value && legal.IsMatch(value));
    }

    [Test]
    public void Two_networks_never_share_a_label()
    {
        new NetworkRef(NetworkKind.DanmNet, "a", "b.c").ToLabelValue().Should().Be("DanmNet.a.b.c");
        new NetworkRef(NetworkKind.ClusterNetwork, null, "a.b.c").ToLabelValue().Should().Be("ClusterNetwork.a.b.c");
    }
}
