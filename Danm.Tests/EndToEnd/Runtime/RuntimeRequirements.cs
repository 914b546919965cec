namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>What of a container runtime must be installed.</summary>
internal static class RuntimeRequirements
{
    private static readonly (string Program, string Package)[] Programs =
        [("containerd", "containerd"), ("ctr", "containerd"), ("containerd-shim-runc-v2", "containerd"), ("runc", "runc"), ("clang", "clang")];

    /// <summary>Fails in CI, and skips loudly elsewhere, where something is missing.</summary>
    public static void Require()
    {
        var path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/bin:/sbin:/bin".Split(':');
        var absent = Programs.Where(p => !path.Any(d => File.Exists(Path.Combine(d, p.Program)))).ToList();
        if (absent.Count == 0)
            return;
        var reason = $"{string.Join(", ", absent.Select(p => p.Program))} not found. As root: apt-get install {string.Join(' ', absent.Select(p => p.Package).Distinct())}";
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(reason);
        Assert.Ignore(reason);
    }
}
