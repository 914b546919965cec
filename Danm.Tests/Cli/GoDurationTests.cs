using Danm.Cli;

namespace Danm.Tests.Cli;

public sealed class GoDurationTests
{
    [TestCase("10m", 600)]
    [TestCase("15s", 15)]
    [TestCase("1h15m30.5s", 4530.5)]
    [TestCase("300ms", 0.3)]
    [TestCase("1.5h", 5400)]
    [TestCase(".5m", 30)]
    [TestCase("100us", 0.0001)]
    [TestCase("100\u00b5s", 0.0001)]
    [TestCase("1000ns", 0.000001)]
    [TestCase("0", 0)]
    [TestCase("0s", 0)]
    [TestCase("2540400h", 9145440000)]
    public void Are_read_as_Go_does(string text, double seconds)
    {
        GoDuration.TryParse(text, out var duration).Should().BeTrue();
        duration.Time.TotalSeconds.Should().Be(seconds);
    }

    [TestCase("")]
    [TestCase("10")]
    [TestCase("m")]
    [TestCase("10 m")]
    [TestCase("-10m")]
    [TestCase("10M")]
    [TestCase("10d")]
    [TestCase("1..5s")]
    [TestCase("10m5")]
    [TestCase("2600000h")]
    [TestCase("99999999999999999999999999999999h")]
    public void What_Go_refuses_is_none(string text) => GoDuration.TryParse(text, out _).Should().BeFalse();

    [Test]
    public void However_many_parts_there_are_the_sum_is_bounded() =>
        GoDuration.TryParse(string.Concat(Enumerable.Repeat("92233720368547758h", 30)), out _).Should().BeFalse();

    [TestCase(600, "10m")]
    [TestCase(15, "15s")]
    [TestCase(90, "1m30s")]
    [TestCase(3600 * 48, "48h")]
    [TestCase(5400.25, "1h30m0.25s")]
    [TestCase(3601, "1h1s")]
    [TestCase(0, "0s")]
    public void Are_written_short(double seconds, string text) => new GoDuration(TimeSpan.FromSeconds(seconds)).ToString().Should().Be(text);

    [TestCase("--vni-grace=soon", "--vni-grace: 'soon' is no duration")]
    [TestCase("--vni-grace=89s", "--vni-grace: 1m29s is shorter than a create may take, and an id could be given to two networks: at least 1m30s")]
    [TestCase("--vni-grace=0", "--vni-grace: 0s is shorter")]
    [TestCase("--leader-elect-renew-deadline=15s", "the lease duration must be more than the renew deadline")]
    [TestCase("--leader-elect-lease-duration=20500ms", "the lease duration must be whole seconds")]
    [TestCase("--leader-elect-lease-duration=soon", "'soon' is no duration")]
    [TestCase("--leader-elect-retry-period=0", "the retry period must be more than zero")]
    public void A_wrong_flag_is_a_wrong_usage(string flag, string message)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };

        CommandLine.Run("danm", ["controller", flag], output, error).Should().Be(2);

        error.ToString().Should().StartWith("error: ").And.Contain(message);
    }

    [TestCase("--vni-grace=90s")]
    [TestCase("--vni-grace=1s", "--allow-short-vni-grace")]
    public void A_grace_that_a_create_fits_in_or_that_is_allowed_to_be_short_is_no_wrong_usage(params string[] flags) =>
        ControllerCommand.Create().Parse(flags).Errors.Should().BeEmpty();

    [Test]
    public void Help_shows_defaults_as_they_are_typed()
    {
        using var output = new StringWriter { NewLine = "\n" };

        CommandLine.Run("danm", ["controller", "--help"], output, TextWriter.Null).Should().Be(0);

        output.ToString().Should().Contain("[default: 10m]").And.Contain("[default: 15s]").And.NotContain("00:").And.NotContain("--allow-short");
    }
}
