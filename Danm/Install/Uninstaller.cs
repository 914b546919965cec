using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>
/// Takes Danm from a node, the configuration first: from then on new Pods get the primary network alone, by the file that has been there all
/// the time.
/// </summary>
internal sealed class Uninstaller(string binDir, string confDir, string stateFolder, ILogger log)
{
    /// <summary>Removes what the installer has written, and what the node remembers.</summary>
    /// <param name="force">Also while Pods have interfaces by Danm: the runtime will call only the primary network's plugins for their end.</param>
    /// <exception cref="InstallException">Pods have interfaces by Danm.</exception>
    /// <exception cref="IOException">Something cannot be removed.</exception>
    public void Run(bool force)
    {
        var sandboxes = Count(Path.Combine(stateFolder, "sandboxes")) + Count(Path.Combine(stateFolder, "addresses", "sandboxes"));
        if (sandboxes > 0 && !force)
            throw new InstallException($"{sandboxes} sandboxes of this node have interfaces by Danm, and their end would release nothing: drain the node first (kubectl drain), or use --force");
        foreach (var name in (string[])[DanmConfiguration.OriginalFileName, DanmConfiguration.FileName])
            Remove(Path.Combine(confDir, name));
        ApiAccess.Remove(confDir);
        foreach (var name in PluginFiles.Names.Reverse())
            Remove(Path.Combine(binDir, name));
        foreach (var folder in (string[])[binDir, confDir])
        {
            if (Directory.Exists(folder))
                NodeFiles.Sweep(folder);
        }

        if (!Directory.Exists(stateFolder))
            return;
        Directory.Delete(stateFolder, recursive: true);
        log.Removed(stateFolder);
    }

    private void Remove(string path)
    {
        if (Directory.Exists(Path.GetDirectoryName(path)) && NodeFiles.Remove(path))
            log.Removed(path);
    }

    private static int Count(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Count() : 0;
}
