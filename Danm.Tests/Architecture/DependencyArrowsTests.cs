using NetArchTest.Rules;

namespace Danm.Tests.Architecture;

/// <summary>
/// The folders of Danm/ are layers, and dependencies point downwards only. A folder that nobody lists fails too, so that
/// a new one gets its place here.
/// </summary>
public class DependencyArrowsTests
{
    /// <summary>From the top down; folders of one line know nothing of each other.</summary>
    private static readonly string[][] Layers =
    [
        ["Cli"],
        ["Doctor"],
        ["Netwatcher", "Svcwatcher", "Webhook", "Controller", "Install"],
        ["Attach"],
        ["Ipvlan", "FakeIpam"],
        ["Calls"],
        ["Ipam", "Devices", "HostLinks", "Tenants"],
        ["State"],
        ["Networks"],
        ["Kube"],
        ["Cni"],
        ["Api"],
        ["Netlink"],
    ];

    private static readonly System.Reflection.Assembly Danm = typeof(global::Danm.Netlink.CidrAddress).Assembly;

    private static IEnumerable<TestCaseData> ForbiddenArrows()
    {
        for (var layer = 0; layer < Layers.Length; layer++)
        {
            foreach (var folder in Layers[layer])
            {
                var above = Layers.Take(layer).SelectMany(folders => folders);
                var beside = Layers[layer].Where(other => other != folder);
                foreach (var forbidden in above.Concat(beside))
                    yield return new TestCaseData(folder, forbidden).SetArgDisplayNames(folder, forbidden);
            }
        }
    }

    [TestCaseSource(nameof(ForbiddenArrows))]
    public void Does_not_depend_on(string folder, string forbidden)
    {
        var result = Types.InAssembly(Danm).That().ResideInNamespace($"Danm.{folder}")
            .ShouldNot().HaveDependencyOnAny($"Danm.{forbidden}").GetResult();

        result.FailingTypes.Select(type => $"{type.FullName}: {type.Explanation}").Should().BeEmpty();
    }

    [Test]
    public void Every_folder_has_its_layer()
    {
        var known = Layers.SelectMany(folders => folders).ToHashSet();

        Danm.GetTypes()
            .Where(type => type.Namespace?.StartsWith("Danm.", StringComparison.Ordinal) == true && !known.Contains(type.Namespace.Split('.')[1]))
            .Select(type => type.FullName).Should().BeEmpty();
    }

    /// <summary>A rule that cannot fail proves nothing: an arrow that is there must be found.</summary>
    [Test]
    public void Finds_an_arrow_that_is_there()
    {
        var result = Types.InAssembly(Danm).That().ResideInNamespace("Danm.Cni")
            .ShouldNot().HaveDependencyOnAny("Danm.Netlink").GetResult();

        result.FailingTypes.Select(type => type.FullName).Should().Contain("Danm.Cni.CniIp");
    }
}
