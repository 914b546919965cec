using Danm.Cni;

namespace Danm.Tests.Cni;

public class SpecVersionTests
{
    [TestCase("0.1.0", true, false, false, false)]
    [TestCase("0.2.0", true, false, false, false)]
    [TestCase("0.3.0", false, true, false, false)]
    [TestCase("0.3.1", false, true, false, false)]
    [TestCase("0.4.0", false, true, true, false)]
    [TestCase("1.0.0", false, false, true, false)]
    [TestCase("1.1.0", false, false, true, true)]
    public void Knows_what_each_version_has(string text, bool singleAddresses, bool addressVersion, bool check, bool gcAndStatus)
    {
        SpecVersion.TryParse(text, out var version).Should().BeTrue();

        version.ToString().Should().Be(text);
        version.HasSingleAddresses.Should().Be(singleAddresses);
        version.HasAddressVersion.Should().Be(addressVersion);
        version.HasCheck.Should().Be(check);
        version.HasGcAndStatus.Should().Be(gcAndStatus);
        version.HasRichInterfacesAndRoutes.Should().Be(gcAndStatus);
    }

    [TestCase("")]
    [TestCase("0.3")]
    [TestCase("1.0.0 ")]
    [TestCase("v1.0.0")]
    [TestCase("1.2.0")]
    public void Knows_no_other_spelling(string text) => SpecVersion.TryParse(text, out _).Should().BeFalse();

    [Test]
    public void Orders_versions_by_release()
    {
        SpecVersion.Supported.ToArray().Select(text => SpecVersion.TryParse(text, out var version) ? version : default).Should().BeInAscendingOrder();
        default(SpecVersion).Should().Be(SpecVersion.V0_1_0);
    }
}
