using Danm.Kube;
using Danm.Kube.Serving;
using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>
/// Puts Danm on a node and keeps it there: a DaemonSet's entry point. Each round looks at everything in an order in which a runtime that
/// reads at any moment finds nothing half done: credentials, the network to adopt, plugins, and the configuration last; so a round that was
/// cut short is just done again. It ends without taking anything away.
/// </summary>
internal sealed class Installer
{
    // What somebody else deletes or changes comes back within this time.
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);

    private readonly InstallOptions options;
    private readonly ILogger log;
    private readonly TimeProvider clock;
    private readonly PluginFiles plugins;
    private readonly ApiAccess access;
    private readonly AdoptedDefault adopted;
    private readonly ApiTrouble trouble;
    private volatile string? fault = "not done yet";
    // What the last look at the node alone has found; and what else was wrong when the API server last answered.
    private string? drift, local;
    private byte[]? configuration;
    private DateTimeOffset renewAt;

    /// <param name="api">The API server, under the installer's own account.</param>
    /// <param name="options">What to install.</param>
    /// <param name="source">The executable to install.</param>
    /// <param name="log">The log.</param>
    /// <param name="clock">The time.</param>
    public Installer(ApiClient api, InstallOptions options, string source, ILogger log, TimeProvider clock)
    {
        (this.options, this.log, this.clock) = (options, log, clock);
        plugins = new(options.BinDir, source);
        access = new(api, options, log, clock);
        adopted = new(api, options, log, clock);
        trouble = new(log.Fails, clock);
    }

    /// <summary>Runs until it is cancelled.</summary>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task RunAsync(string version, CancellationToken cancellation)
    {
        log.Installs(version, options.NodeName, options.BinDir, options.ConfDir);
        var checks = new HealthChecks();
        checks.Add("installed", Probe.Ready, () => fault);
        await using var status = await StatusServer.StartAsync(options.Health, options.Metrics, checks).ConfigureAwait(false);
        while (!cancellation.IsCancellationRequested)
        {
            await TryRoundAsync(cancellation).ConfigureAwait(false);
            await Task.Delay(Round, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        log.Ends();
    }

    /// <summary>Looks at everything once, and brings it to what it shall be.</summary>
    /// <exception cref="InstallException">Something has to be mended or waited for.</exception>
    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    /// <exception cref="IOException">A folder cannot be written.</exception>
    public Task RunOnceAsync(CancellationToken cancellation) => RoundAsync(cancellation);

    private async Task TryRoundAsync(CancellationToken cancellation)
    {
        try
        {
            var left = await RoundAsync(cancellation).ConfigureAwait(false);
            if (fault is not null)
                log.Installed((int)left.TotalMinutes);
            fault = local = null;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end.
        }
        catch (ApiException e) when (IsAway(e) && configuration is not null && clock.GetUtcNow() < renewAt)
        {
            // Nothing is due that only the API server can give.
            fault = drift ?? local;
            trouble.Tell(e.Message);
        }
        catch (Exception e) when (e is InstallException or ApiException or IOException or UnauthorizedAccessException)
        {
            // What is installed goes on working: only what is missing keeps the Pod from being ready.
            fault = e.Message;
            if (e is not ApiException away || !IsAway(away))
                local = e.Message == drift ? null : e.Message;
            trouble.Tell(e.Message);
        }
    }

    private async Task<TimeSpan> RoundAsync(CancellationToken cancellation)
    {
        var isInstalled = NodeFiles.Exists(Path.Combine(options.ConfDir, DanmConfiguration.FileName)) || configuration is not null;
        drift = TryKeep(isInstalled);
        var left = await access.EnsureAsync(cancellation).ConfigureAwait(false);
        options.Check();
        BootstrapFile.Ensure(options, log);
        var capabilities = await adopted.EnsureAsync(cancellation).ConfigureAwait(false);
        if (!isInstalled)
            PrimaryNetwork.RefuseMetaplugin(options.ConfDir);
        configuration = DanmConfiguration.Write(options, capabilities);
        drift = TryKeep(isInstalled: true);
        if (drift is not null)
            throw new InstallException(drift);
        renewAt = clock.GetUtcNow() + left;

        var original = Path.Combine(options.ConfDir, DanmConfiguration.OriginalFileName);
        if (NodeFiles.Remove(original))
            log.Removed(original);
        return left;
    }

    private static bool IsAway(ApiException e) => e.Code is null || e.IsTransient;

    /// <summary>
    /// A node that has Danm keeps it, whatever becomes of the rest; another one keeps what it has until all is proven. Folders that cannot be
    /// written are no reason to let the token end, which Pods start by.
    /// </summary>
    /// <returns>What is not as it shall be; null: all is.</returns>
    private string? TryKeep(bool isInstalled)
    {
        try
        {
            Prepare();
            if (isInstalled)
            {
                Keep();
                PrimaryNetwork.RefuseEarlier(options.ConfDir);
            }

            return null;
        }
        catch (Exception e) when (e is InstallException or IOException or UnauthorizedAccessException)
        {
            trouble.Tell(e.Message);
            return e.Message;
        }
    }

    /// <summary>The folders, without what an installer that was killed has left: on a full disk that makes the room that a copy needs.</summary>
    private void Prepare()
    {
        foreach (var folder in (string[])[options.BinDir, options.ConfDir])
        {
            Directory.CreateDirectory(folder);
            NodeFiles.Sweep(folder);
        }
    }

    /// <summary>The plugins, and then what makes the node's Pods Danm's.</summary>
    /// <exception cref="IOException">A folder cannot be written.</exception>
    private void Keep()
    {
        if (plugins.Ensure())
            log.Wrote($"{string.Join(" and ", PluginFiles.Names)} to {options.BinDir}");
        var path = Path.Combine(options.ConfDir, DanmConfiguration.FileName);
        if (configuration is null || NodeFiles.Has(path, configuration, NodeFiles.Public))
            return;
        NodeFiles.Write(path, configuration, NodeFiles.Public);
        log.Wrote(path);
    }
}
