using System.Net;
using System.Text;
using Danm.Cni;
using Danm.FakeIpam;

namespace Danm.Tests.FakeIpam;

public sealed class RequestedAddressesTests
{
    [TestCase("{}", null, null, null, null)]
    [TestCase("{}", """{"mac":"02:00:00:00:00:01"}""", null, null, null)]
    [TestCase("{}", """{"ips":null}""", null, null, null)]
    [TestCase("{}", """{"ips":["10.0.0.5/24","fd00::5/64"]}""", null, "10.0.0.5", "fd00::5")]
    [TestCase("{}", """{"ips":["fd00::5"]}""", null, null, "fd00::5")]
    [TestCase("""{"args":{"cni":{"ips":["10.0.0.5"]},"other":[1]}}""", null, null, "10.0.0.5", null)]
    [TestCase("""{"args":{"cni":null}}""", null, "10.0.0.5/8", "10.0.0.5", null)]
    [TestCase("{}", null, "10.0.0.5,fd00::5,", "10.0.0.5", "fd00::5")]
    [TestCase("""{"args":{"cni":{"ips":["10.0.0.5/24"]}}}""", """{"ips":["10.0.0.5"]}""", "10.0.0.5/16,fd00::5", "10.0.0.5", "fd00::5")]
    public void Come_from_wherever_runtimes_put_them(string config, string? runtimeConfig, string? args, string? ipv4, string? ipv6) =>
        RequestedAddresses.Of(Request(config, runtimeConfig, args)).Should().Be(new RequestedAddresses(Address(ipv4), Address(ipv6)));

    [TestCase("{}", """{"ips":["10.0.0.5","10.0.0.6"]}""", null, 7, "runtimeConfig.ips '10.0.0.6' is one address too many: 10.0.0.5")]
    [TestCase("""{"args":{"cni":{"ips":["10.0.0.6"]}}}""", """{"ips":["10.0.0.5"]}""", null, 7, "args.cni.ips '10.0.0.6'")]
    [TestCase("{}", """{"ips":["10.0.0.5"]}""", "10.0.0.6", 4, "CNI_ARGS: IP '10.0.0.6'")]
    [TestCase("{}", """{"ips":[""]}""", null, 7, "runtimeConfig.ips '' is not an IP address")]
    [TestCase("{}", """{"ips":"10.0.0.5"}""", null, 7, "runtimeConfig.ips is '10.0.0.5', not a list")]
    [TestCase("{}", """{"ips":[5]}""", null, 7, "runtimeConfig.ips is '5', not a string")]
    [TestCase("""{"args":[]}""", null, null, 7, "args is a list, not an object")]
    [TestCase("{}", null, "10.0.0.256", 4, "CNI_ARGS: IP '10.0.0.256' is not an IP address")]
    public void What_is_no_request_is_named(string config, string? runtimeConfig, string? args, int code, string says) =>
        FluentActions.Invoking(() => RequestedAddresses.Of(Request(config, runtimeConfig, args))).Should().Throw<CniException>()
            .Which.Should().Match<CniException>(e => e.Code == code && e.Msg.Contains(says));

    private static IPAddress? Address(string? text) => text is null ? null : IPAddress.Parse(text);

    private static CniRequest Request(string config, string? runtimeConfig, string? addresses) => new()
    {
        Command = CniCommand.Add,
        Args = CniArgs.Parse(addresses is null ? null : $"K8S_POD_NAME=a;IP={addresses}"),
        Config = new NetConf
        {
            Name = "n",
            Raw = Encoding.UTF8.GetBytes(config),
            RuntimeConfig = runtimeConfig is null ? null : (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(runtimeConfig),
        },
    };
}
