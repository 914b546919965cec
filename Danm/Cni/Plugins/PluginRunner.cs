namespace Danm.Cni.Plugins;

/// <summary>
/// Calls other CNI plugins as a runtime would (CNI specification 1.1.0, section 4 "Plugin Delegation"): found in CNI_PATH, with the
/// environment that our own runtime gave us, but for what a call says otherwise.
/// </summary>
/// <param name="path">The folders of CNI_PATH.</param>
/// <param name="inherited">Our own environment.</param>
/// <param name="report">Is told of every run.</param>
public sealed class PluginRunner(
    IReadOnlyList<string> path, IReadOnlyDictionary<string, string> inherited, Action<PluginRun> report)
{
    private const int ETXTBSY = 26;
    private const int BusyAttempts = 6;

    // What belongs to one container is not handed on to calls that are for none.
    private static readonly string[] ContainerVariables = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS"];

    /// <summary>Calls a plugin.</summary>
    /// <param name="plugin">Its <c>type</c>: the executable's name, never a path.</param>
    /// <param name="call">Command and container.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="cancellation">Ends it, and all that it started.</param>
    /// <returns>Its standard output.</returns>
    /// <exception cref="PluginException">It is missing, or failed.</exception>
    /// <exception cref="OperationCanceledException">It was killed.</exception>
    public async Task<ReadOnlyMemory<byte>> CallAsync(string plugin, PluginCall call, ReadOnlyMemory<byte> config, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(call);
        var program = Find(plugin)
            ?? throw new PluginException(plugin, call, $"there is no such program in CNI_PATH ({string.Join(':', path)}): install it on this node") { IsMissing = true };
        var output = await RunAsync(plugin, call, program, config, cancellation).ConfigureAwait(false);
        return output.ExitCode == 0 ? output.Stdout : throw PluginException.From(plugin, call, output);
    }

    /// <summary>The plugin's executable; null if no folder has one.</summary>
    public string? Find(string plugin)
    {
        if (!CniNames.IsName(plugin) || plugin.Contains("..", StringComparison.Ordinal))
            return null;
        foreach (var folder in path)
        {
            var candidate = Path.Combine(folder, plugin);
            if (Path.IsPathRooted(folder) && File.Exists(candidate))
                return candidate;
        }

        return null;
    }

    private async Task<PluginOutput> RunAsync(string plugin, PluginCall call, string program, ReadOnlyMemory<byte> config, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var start = Environment.TickCount64;
            try
            {
                return await PluginProcess.RunAsync(program, EnvironmentOf(call), config, Report, cancellation).ConfigureAwait(false);
            }
            catch (PluginStartException e) when (e.Errno == ETXTBSY && attempt < BusyAttempts)
            {
                // An installer is writing it just now, in place of a rename.
                await Task.Delay(100 << attempt, cancellation).ConfigureAwait(false);
            }
            catch (PluginStartException e)
            {
                throw new PluginException(plugin, call, e.Message, e);
            }
            catch (PluginOutputException e)
            {
                throw new PluginException(plugin, call, e.Message, e);
            }

            void Report(PluginOutput output) =>
                report(new PluginRun(plugin, call, output.ExitCode, TimeSpan.FromMilliseconds(Environment.TickCount64 - start), output.Cpu, output.Stderr));
        }
    }

    private Dictionary<string, string> EnvironmentOf(PluginCall call)
    {
        var environment = new Dictionary<string, string>(inherited);
        foreach (var name in ContainerVariables)
        {
            if (call.ContainerId.Length == 0 || name == "CNI_NETNS" || (name == "CNI_ARGS" && call.Args is not null))
                environment.Remove(name);
        }

        environment["CNI_COMMAND"] = call.Command;
        if (call.ContainerId.Length == 0)
            return environment;
        environment["CNI_CONTAINERID"] = call.ContainerId;
        environment["CNI_IFNAME"] = call.IfName;
        if (call.Netns is { Length: > 0 })
            environment["CNI_NETNS"] = call.Netns;
        if (call.Args is { Length: > 0 })
            environment["CNI_ARGS"] = call.Args;
        return environment;
    }
}

/// <summary>One run of a plugin, for the log.</summary>
/// <param name="Plugin">Its name.</param>
/// <param name="Call">What it was called for.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Elapsed">From its start to its end.</param>
/// <param name="Cpu">Its processor time.</param>
/// <param name="Stderr">What it wrote to its standard error; the start of it.</param>
public sealed record PluginRun(string Plugin, PluginCall Call, int ExitCode, TimeSpan Elapsed, TimeSpan Cpu, string Stderr);

/// <summary>What a plugin is called for.</summary>
/// <param name="Command">CNI_COMMAND.</param>
/// <param name="ContainerId">CNI_CONTAINERID; empty for GC and STATUS.</param>
/// <param name="IfName">CNI_IFNAME.</param>
/// <param name="Netns">CNI_NETNS; null when the namespace is gone.</param>
/// <param name="Args">CNI_ARGS; null: what our own runtime gave us.</param>
public sealed record PluginCall(string Command, string ContainerId = "", string IfName = "", string? Netns = null, string? Args = null);
