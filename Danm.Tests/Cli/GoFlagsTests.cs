using Danm.Cli;

namespace Danm.Tests.Cli;

public class GoFlagsTests
{
    [TestCase("-version", "--version")]
    [TestCase("--version", "--version")]
    [TestCase("-version=true", "--version=true")]
    [TestCase("-v", "-v")]
    [TestCase("-versions", "-versions")]
    [TestCase("-", "-")]
    [TestCase("--", "--")]
    [TestCase("", "")]
    public void Doubles_the_dash_of_known_long_flags(string given, string ours) => GoFlags.Normalise([given], "version").Should().Equal(ours);

    [Test]
    public void Ends_at_the_first_word_that_is_no_flag() =>
        GoFlags.Normalise(["-version", "word", "-version"], "version").Should().Equal("--version", "word", "-version");

    [Test]
    public void Ends_at_two_dashes() => GoFlags.Normalise(["--", "-version"], "version").Should().Equal("--", "-version");

    [Test]
    public void Takes_no_arguments() => GoFlags.Normalise([], "version").Should().BeEmpty();
}
