using Danm.Cni;

namespace Danm.Tests.Cni;

public class CniTextTests
{
    [TestCase("plain 'text' é 網", "plain 'text' é 網")]
    [TestCase("a\u001b[2Jb", "a\\u001b[2Jb")]
    [TestCase("a\nb\r", "a\\u000ab\\u000d")]
    [TestCase("a\u0085b\u2028c\u202ed", "a\\u0085b\\u2028c\\u202ed")]
    [TestCase("\U0001f600", "\U0001f600")]
    public void Spells_out_what_would_steer_a_terminal(string text, string clean) => CniText.Clean(text, 100).Should().Be(clean);

    [Test]
    public void Spells_out_half_a_surrogate_pair() => CniText.Clean("a\ud800b", 100).Should().Be("a\\ud800b");

    [Test]
    public void Keeps_lines_where_asked() => CniText.Clean("a\nb\t", 100, keepLineFeeds: true).Should().Be("a\nb\\u0009");

    [Test]
    public void Cuts_long_text()
    {
        CniText.Clean("abcd", 4).Should().Be("abcd");
        CniText.Clean("abcde", 4).Should().Be("abcd…");
        CniText.Quote(new string('x', 129)).Should().Be($"'{new string('x', 128)}…'");
    }
}
