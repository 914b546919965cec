using Danm.Cli;

namespace Danm.Tests.Cli;

public sealed class IpamCommandTests
{
    [TestCase("error: Required argument missing", "ipam", "release")]
    [TestCase("error: '10.1.0' is neither an address nor the name of an IPAllocation", "ipam", "release", "10.1.0")]
    [TestCase("error: 'ten' is neither an address nor the name of an IPAllocation", "ipam", "release", "ten")]
    [TestCase("error: '10-1-0.untagged.ens4' is neither", "ipam", "release", "10-1-0.untagged.ens4")]
    [TestCase("error: 'n' is no network", "ipam", "release", "10.1.0.5", "n")]
    [TestCase("error: 'Pod/n' is no network", "ipam", "release", "10.1.0.5", "Pod/n")]
    [TestCase("error: 'DanmNet/N' is no network", "ipam", "release", "10.1.0.5", "DanmNet/N")]
    [TestCase("error: Argument 'wide' not recognized", "ipam", "gc", "-o", "wide")]
    [TestCase("error: Unrecognized command or argument 'amf-0'", "ipam", "gc", "amf-0")]
    public void A_wrong_usage_is_an_error_of_code_2_and_says_what_is_wrong(string message, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter { NewLine = "\n" };

        CommandLine.Run("danm", args, output, error).Should().Be(2);

        output.ToString().Should().BeEmpty();
        error.ToString().Should().StartWith(message);
    }

    [TestCase("ipam", "release", "10.1.0.5", "cnet/radio")]
    [TestCase("ipam", "release", "fd00::5", "TenantNetwork/radio", "-n", "ns")]
    [TestCase("ipam", "release", "10-1-0-5.vlan500.ens4")]
    [TestCase("ipam", "gc", "-o", "name")]
    public void A_right_usage_gets_as_far_as_the_kubeconfig(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();

        CommandLine.Run("danm", [.. args, "--kubeconfig", "/nowhere/kubeconfig"], output, error).Should().Be(1);

        error.ToString().Should().Contain("/nowhere/kubeconfig");
    }
}
