using System.Runtime.CompilerServices;

namespace Danm.Tests.EndToEnd;

/// <summary>The published executable: tests over real protocols use nothing else.</summary>
public static class DanmBinary
{
    /// <summary>The repository's folder.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Where the build puts it; DANM_BINARY names another one.</summary>
    public static string Path { get; } =
        Environment.GetEnvironmentVariable("DANM_BINARY") ?? System.IO.Path.Combine(Repository, "artifacts", "danm");

    /// <summary>A folder for CNI_PATH, with the executable under the names of its CNI plugins.</summary>
    public static string PluginFolder { get; } = MakePluginFolder();

    /// <summary>Fails in CI, and skips loudly elsewhere, when nothing was published.</summary>
    public static void Require()
    {
        if (!File.Exists(Path))
            Lacks($"{Path} is missing: publish it first (./build.sh --target=Publish)");
    }

    /// <summary>Fails in CI, and skips loudly elsewhere.</summary>
    internal static void Lacks(string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(reason);
        Assert.Ignore($"NOT TESTED: {reason}");
    }

    private static string MakePluginFolder()
    {
        var folder = Directory.CreateDirectory(System.IO.Path.Combine(Repository, "artifacts", "cni")).FullName;
        foreach (var name in (ReadOnlySpan<string>)["danm", "fakeipam"])
        {
            var link = System.IO.Path.Combine(folder, name);
            File.Delete(link);
            File.CreateSymbolicLink(link, Path);
        }

        return folder;
    }

    private static string FindRepository([CallerFilePath] string source = "")
    {
        for (var folder = System.IO.Path.GetDirectoryName(source); folder is not null; folder = System.IO.Path.GetDirectoryName(folder))
        {
            if (File.Exists(System.IO.Path.Combine(folder, "Danm.slnx")))
                return folder;
        }

        throw new InvalidOperationException("the repository's folder is not above the test's source");
    }
}
