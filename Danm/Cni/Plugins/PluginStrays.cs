using System.Globalization;
using System.Runtime.InteropServices;

namespace Danm.Cni.Plugins;

/// <summary>
/// Processes that plugins left behind: what has left its group and session, or has outlived the call that started it. They are told
/// from all others by the environment that they were started with.
/// </summary>
internal static partial class PluginStrays
{
    private const int SIGKILL = 9;

    /// <summary>Kills those whose variables, each <c>NAME=value</c>, are of the kind that is meant.</summary>
    /// <param name="isMeant">Decides.</param>
    /// <param name="spared">A process that is not meant, beside this one.</param>
    /// <returns>Those that were killed; they may take a moment to end.</returns>
    public static IReadOnlyList<int> Kill(Predicate<string[]> isMeant, int spared = 0)
    {
        var killed = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && pid != spared && pid != Environment.ProcessId && isMeant(VariablesOf(pid)) && kill(pid, SIGKILL) == 0)
                killed.Add(pid);
        }

        return killed;
    }

    /// <summary>
    /// Kills the plugins that an ADD for the container had called when it was killed itself: nobody waits for them any more, and
    /// nobody would remove what they go on to make. Returns when they have ended, or after a second.
    /// </summary>
    /// <returns>How many there were.</returns>
    public static async Task<int> EndOrphansAsync(string containerId, CancellationToken cancellation)
    {
        var caller = PluginProcess.Marker + "=";
        var killed = Kill(v => v.Contains($"CNI_CONTAINERID={containerId}") && v.Contains("CNI_COMMAND=ADD")
            && Array.Exists(v, x => x.StartsWith(caller, StringComparison.Ordinal) && !x.StartsWith($"{caller}{Environment.ProcessId}.", StringComparison.Ordinal)));
        var deadline = Environment.TickCount64 + 1000;
        // One that has ended and waits for its parent to notice has no environment.
        while (killed.Any(p => VariablesOf(p).Length > 0) && Environment.TickCount64 < deadline)
            await Task.Delay(5, cancellation).ConfigureAwait(false);
        return killed.Count;
    }

    private static string[] VariablesOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/environ").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it has ended
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
