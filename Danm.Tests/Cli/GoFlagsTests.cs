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
    public void Goes_on_after_a_word_which_may_be_a_value() =>
        GoFlags.Normalise(["webhook", "-file", "F", "-version", "word", "-file=G"], "version", "file").Should().Equal("webhook", "--file", "F", "--version", "word", "--file=G");

    [Test]
    public void Ends_at_two_dashes() => GoFlags.Normalise(["--", "-version"], "version").Should().Equal("--", "-version");

    [Test]
    public void Takes_no_arguments() => GoFlags.Normalise([], "version").Should().BeEmpty();
}
