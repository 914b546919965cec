using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Danm.Tests.EndToEnd;

/// <summary>A running long-lived mode of the published executable.</summary>
internal sealed class ModeProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder log = new();

    private ModeProcess(Process process) => this.process = process;

    /// <summary>Its own: what enters a node's namespaces becomes it, or, where processes have one too, is its parent.</summary>
    public int Id => File.ReadAllText($"/proc/{process.Id}/comm").Trim() == "nsenter"
        ? int.Parse(File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children"), CultureInfo.InvariantCulture)
        : process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>What it has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Starts one that serves neither probes nor metrics unless the arguments say so: several may be here.</summary>
    public static ModeProcess Start(string mode, params ReadOnlySpan<string> arguments) => Start(mode, [], arguments);

    /// <summary>The same, with more in its environment.</summary>
    public static ModeProcess Start(string mode, (string Name, string Value)[] environment, params ReadOnlySpan<string> arguments) => Start([], mode, environment, arguments);

    /// <summary>The same in namespaces of a node's, behind what a command line there begins with; it ends with the node.</summary>
    public static ModeProcess Start(IReadOnlyList<string> enter, string mode, (string Name, string Value)[] environment, params ReadOnlySpan<string> arguments)
    {
        var given = arguments.ToArray();
        string[] silent = [.. ((string[])["--health-probe-bind-address", "--metrics-bind-address"]).Where(o => !given.Any(a => a.StartsWith(o, StringComparison.Ordinal))).Select(o => $"{o}=0")];
        return StartLine([.. enter, DanmBinary.Path, mode, .. silent, .. given], environment);
    }

    /// <summary>Starts one by a command line that says everything itself.</summary>
    public static ModeProcess StartLine(IReadOnlyList<string> line, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(line[0], line.Skip(1)) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var running = new ModeProcess(Process.Start(start)!);
        running.process.ErrorDataReceived += running.Collect;
        running.process.OutputDataReceived += running.Collect;
        running.process.BeginErrorReadLine();
        running.process.BeginOutputReadLine();
        return running;
    }

    /// <summary>SIGTERM.</summary>
    public async Task SignalAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGTERM; gives the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync();
        return await EndAsync();
    }

    /// <summary>SIGKILL; what entered a node's namespaces is its parent, and must not be left waiting for its output.</summary>
    public async Task KillAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    /// <summary>Waits until it ends by itself; gives the exit code.</summary>
    public async Task<int> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await KillAsync();
        process.Dispose();
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        // Null is the end of one of the two.
        if (line.Data is null)
            return;
        lock (log)
            log.AppendLine(line.Data);
    }
}
