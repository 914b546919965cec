using Danm.Kube.Serving;

namespace Danm.Tests.Kube.Serving;

[TestFixture]
public sealed class BindAddressTests
{
    [TestCase(":8081", ":8081")]
    [TestCase("127.0.0.1:1", "127.0.0.1:1")]
    [TestCase("[::1]:65535", "[::1]:65535")]
    [TestCase("0", null)]
    public void Reads_what_Kubernetes_flags_say(string text, string? expected)
    {
        BindAddress.TryParse(text, out var address).Should().BeTrue();
        address?.ToString().Should().Be(expected);
        (address is null).Should().Be(expected is null);
    }

    [TestCase("")]
    [TestCase("8081")]
    [TestCase(":0")]
    [TestCase(":65536")]
    [TestCase(":-1")]
    [TestCase("::1:80", Description = "the port of an IPv6 address without brackets cannot be told")]
    [TestCase("[127.0.0.1]:80")]
    [TestCase("localhost:80")]
    [TestCase("127.0.0.1:")]
    public void Refuses_what_is_neither(string text) => BindAddress.TryParse(text, out _).Should().BeFalse();
}
