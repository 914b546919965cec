using System.Text.RegularExpressions;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Docs;

/// <summary>A page of the documentation.</summary>
/// <param name="Path">Its path in the repository.</param>
internal sealed partial record Page(string Path)
{
    public string Text { get; } = File.ReadAllText(System.IO.Path.Combine(DanmBinary.Repository, Path));

    /// <summary>README.md, docs/ and the READMEs of the examples.</summary>
    public static IEnumerable<Page> All()
    {
        var root = DanmBinary.Repository;
        return Directory.EnumerateFiles(System.IO.Path.Combine(root, "docs"), "*.md")
            .Concat(Directory.EnumerateFiles(System.IO.Path.Combine(root, "manifests"), "README.md", SearchOption.AllDirectories))
            .Append(System.IO.Path.Combine(root, "README.md"))
            .Order(StringComparer.Ordinal)
            .Select(f => new Page(System.IO.Path.GetRelativePath(root, f)));
    }

    /// <summary>What is between the fences of a language.</summary>
    public IEnumerable<string> Blocks(string language) =>
        Fenced().Matches(Text).Where(m => m.Groups["language"].Value == language).Select(m => m.Groups["content"].Value);

    /// <summary>Where links to files of the repository lead, as they are written; none in code.</summary>
    public IEnumerable<string> Links() =>
        Link().Matches(Prose()).Select(m => m.Groups["target"].Value).Where(t => !t.Contains("://", StringComparison.Ordinal));

    /// <summary>The anchors that GitHub gives its headings.</summary>
    public IEnumerable<string> Anchors() => Heading().Matches(Prose(keepCode: true)).Select(m =>
        NotInAnchor().Replace(m.Groups["title"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    public override string ToString() => Path;

    private string Prose(bool keepCode = false)
    {
        var prose = Fenced().Replace(Text, "");
        return keepCode ? prose : Code().Replace(prose, "");
    }

    [GeneratedRegex(@"^```(?<language>[^\n]*)\n(?<content>.*?)^```\s*?$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fenced();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}_ -]")]
    private static partial Regex NotInAnchor();
}
