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
            var informational = typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
            var plus = informational.IndexOf('+');
            var (version, commit) = plus < 0 ? (informational, "unknown") : (informational[..plus], informational[(plus + 1)..]);
            return $"danm {version} (commit {commit}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})";
        }
    }
}
