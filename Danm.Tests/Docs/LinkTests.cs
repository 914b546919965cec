using Danm.Tests.EndToEnd;

namespace Danm.Tests.Docs;

/// <summary>Nobody who follows a link of the documentation stands before nothing.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class LinkTests
{
    private static IEnumerable<Page> Pages => Page.All();

    [TestCaseSource(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_to_a_heading_of_it(object of)
    {
        var page = (Page)of;
        foreach (var link in page.Links())
        {
            var (file, anchor) = link.Split('#') is [var path, var fragment] ? (path, fragment) : (link, null);
            var target = file.Length == 0 ? page.Path : Path.GetRelativePath("/", Path.GetFullPath(Path.Combine("/", Path.GetDirectoryName(page.Path)!, file)));
            Path.Exists(Path.Combine(DanmBinary.Repository, target)).Should().BeTrue("{0} links to {1}", page, link);
            if (anchor is not null)
                new Page(target).Anchors().Should().Contain(anchor, "{0} links to {1}", page, link);
        }
    }

    [Test]
    public void The_index_leads_to_every_page()
    {
        var linked = new Page("docs/README.md").Links().ToList();
        Page.All().Where(p => Path.GetDirectoryName(p.Path) == "docs" && p.Path != "docs/README.md").Select(p => Path.GetFileName(p.Path)).Should().BeSubsetOf(linked);
        new Page("README.md").Links().Should().Contain("docs/README.md");
    }
}
