using System.Text.RegularExpressions;
using Danm.Doctor;
using Danm.Doctor.Node;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Doctor;

public class CheckCatalogTests
{
    /// <summary>Scripts and docs know checks by their names.</summary>
    [Test]
    public void The_documentation_has_every_check_and_no_other()
    {
        using var cluster = new ClusterView(() => throw new NotSupportedException(), default);
        using var node = new NodeView(new NodeFolders("/bin", "/conf", "/state"), cluster, TimeSpan.FromSeconds(1));
        string[] ids = [.. CheckCatalog.OfNode(node).Concat(CheckCatalog.OfCluster(cluster)).Select(c => c.Id)];

        ids.Should().OnlyHaveUniqueItems().And.OnlyContain(id => Regex.IsMatch(id, "^(node|cluster)-[a-z-]+$"));
        Documented().Should().Equal(ids, "in the order in which they are shown");
    }

    private static IEnumerable<string> Documented() =>
        Regex.Matches(File.ReadAllText(Path.Combine(DanmBinary.Repository, "docs/doctor.md")), "(?m)^\\| `((?:node|cluster)-[a-z-]+)` \\| [^|]+ \\| [^|]+ \\|$").Select(m => m.Groups[1].Value);
}
