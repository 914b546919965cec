using Danm.Kube.Serving;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>
/// Takes Danm from a node, the configuration first: from then on new Pods get the primary network alone, by the file that has been there all
/// the time.
/// </summary>
internal sealed class Uninstaller(string binDir, string confDir, string stateFolder, ILogger log)
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Runs until it is cancelled, as a DaemonSet: the configuration goes at once, and the rest when the last sandbox that has interfaces by
    /// Danm has ended, whoever ends it. Ready when nothing is left.
    /// </summary>
    /// <param name="health">Where the probes are answered; null: nowhere.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task StayAsync(BindAddress? health, CancellationToken cancellation)
    {
        string? fault = "not done yet";
        var checks = new HealthChecks();
        checks.Add("uninstalled", Probe.Ready, () => Volatile.Read(ref fault));
        await using var status = await StatusServer.StartAsync(health, null, checks).ConfigureAwait(false);
        while (!cancellation.IsCancellationRequested)
        {
            var before = fault;
            try
            {
                RemoveConfiguration();
                Run(force: false);
                Volatile.Write(ref fault, null);
            }
            catch (Exception e) when (e is InstallException or IOException or UnauthorizedAccessException)
            {
                Volatile.Write(ref fault, e.Message);
                if (e.Message != before)
                    log.Fails(e.Message);
            }

            await Task.Delay(Round, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Removes what the installer has written, and what the node remembers.</summary>
    /// <param name="force">Also while Pods have interfaces by Danm: the runtime will call only the primary network's plugins for their end.</param>
    /// <exception cref="InstallException">Pods have interfaces by Danm.</exception>
    /// <exception cref="IOException">Something cannot be removed.</exception>
    public void Run(bool force)
    {
        // Else it would be taken for a node that has nothing to lose.
        if (!force && MissingFolder() is { } missing)
            throw new InstallException($"there is no {missing} here: mount it, give its place with --cni-bin-dir, --cni-conf-dir or --state-dir, or use --force");
        var sandboxes = Count(Path.Combine(stateFolder, "sandboxes")) + Count(Path.Combine(stateFolder, "addresses", "sandboxes"));
        if (sandboxes > 0 && !force)
            throw new InstallException($"{sandboxes} sandboxes of this node have interfaces by Danm, and their end would release nothing: drain the node first (kubectl drain), or use --force");
        RemoveConfiguration();
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

    private string? MissingFolder()
    {
        if (((string[])[binDir, confDir]).FirstOrDefault(f => !Directory.Exists(f)) is { } folder)
            return folder;
        // A node that Danm has never been on, or is no more, may not have it.
        var isHere = Directory.Exists(Path.Combine(confDir, ApiAccess.Folder)) || NodeFiles.Exists(Path.Combine(confDir, DanmConfiguration.FileName))
            || PluginFiles.Names.Any(n => NodeFiles.Exists(Path.Combine(binDir, n)));
        var place = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(stateFolder))) ?? "/";
        return isHere && !Directory.Exists(place) ? place : null;
    }

    private void RemoveConfiguration()
    {
        foreach (var name in (string[])[DanmConfiguration.OriginalFileName, DanmConfiguration.FileName])
            Remove(Path.Combine(confDir, name));
    }

    private void Remove(string path)
    {
        if (Directory.Exists(Path.GetDirectoryName(path)) && NodeFiles.Remove(path))
            log.Removed(path);
    }

    private static int Count(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Count() : 0;
}
