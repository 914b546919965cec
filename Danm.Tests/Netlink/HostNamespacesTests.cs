using Danm.Netlink;

namespace Danm.Tests.Netlink;

/// <summary>Paths of namespaces as another root folder has them.</summary>
public sealed class HostNamespacesTests
{
    private readonly string root = Directory.CreateTempSubdirectory("danm-root-").FullName;

    [OneTimeSetUp]
    public void Make()
    {
        Directory.CreateDirectory(Path.Combine(root, "run"));
        File.WriteAllText(Path.Combine(root, "run/left-over"), "");
        File.CreateSymbolicLink(Path.Combine(root, "run/out"), "/proc/self/ns/net");
        File.CreateSymbolicLink(Path.Combine(root, "run/up"), "../../../../../../../../proc/self/ns/net");
        Directory.CreateSymbolicLink(Path.Combine(root, "var"), "/run");
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(root, recursive: true);

    [TestCase("/proc/self/ns/net", NamespaceSight.Present)]
    [TestCase("/proc/999999999/ns/net", NamespaceSight.Gone)]
    [TestCase("/run/netns/danm-no-such-namespace", NamespaceSight.Gone)]
    [TestCase("/etc/hostname/x", NamespaceSight.Gone)]
    [TestCase("", NamespaceSight.Unknown)]
    [TestCase("/run/\0", NamespaceSight.Unknown)]
    public void On_our_own_root(string path, NamespaceSight sight) => new HostNamespaces("/").Look(path).Should().Be(sight);

    // A namespace that only a link out of the view leads to is none of the view's.
    [TestCase("/run/out")]
    [TestCase("/run/up")]
    [TestCase("/var/out")]
    [TestCase("/run/left-over")]
    public void Links_stay_inside_the_view(string path)
    {
        if (!path.EndsWith("left-over", StringComparison.Ordinal))
            NetworkNamespace.MayBeAt(root + path.Replace("/var/", "/run/")).Should().BeTrue("a look that is not careful finds one");

        new HostNamespaces(root).Look(path).Should().Be(NamespaceSight.Gone);
    }

    [Test]
    public void Where_there_is_no_view_nothing_is_known() => new HostNamespaces(root + "/none").Look("/run/netns/x").Should().Be(NamespaceSight.Unknown);
}
