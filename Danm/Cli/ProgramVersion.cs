using System.Reflection;
using System.Runtime.InteropServices;

namespace Danm.Cli;

/// <summary>What this build is.</summary>
internal static class ProgramVersion
{
    /// <summary>One line: version, commit, runtime and architecture.</summary>
    public static string Line
    {
        get
        {
            var (version, commit) = Parts;
            return $"danm {version} (commit {commit}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})";
        }
    }

    /// <summary>The version alone.</summary>
    public static string Number => Parts.Version;

    private static (string Version, string Commit) Parts
    {
        get
        {
            var informational = typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
            var plus = informational.IndexOf('+');
            return plus < 0 ? (informational, "unknown") : (informational[..plus], informational[(plus + 1)..]);
        }
    }
}
