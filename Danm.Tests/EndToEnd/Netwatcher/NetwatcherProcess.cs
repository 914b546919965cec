using System.Diagnostics;
using System.Globalization;
using System.Text;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>A running <c>danm netwatcher</c>, ended with SIGTERM as kubelet does.</summary>
internal sealed class NetwatcherProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder log = new();

    private NetwatcherProcess(Process process) => this.process = process;

    /// <summary>Netwatcher itself: what enters the namespaces becomes it, or, where processes have one too, is its parent.</summary>
    public int Id => File.ReadAllText($"/proc/{process.Id}/comm").Trim() == "nsenter"
        ? int.Parse(File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children"), CultureInfo.InvariantCulture)
        : process.Id;

    /// <summary>What it has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Starts one that listens nowhere unless the arguments say so: several may be in one namespace.</summary>
    public static NetwatcherProcess Start(IReadOnlyList<string> enter, params ReadOnlySpan<string> arguments)
    {
        string[] listening = arguments.ToArray().Any(a => a.Contains("-bind-address", StringComparison.Ordinal)) ? [] : ["--health-probe-bind-address=0", "--metrics-bind-address=0"];
        string[] line = [.. enter, DanmBinary.Path, "netwatcher", .. listening, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        var watcher = new NetwatcherProcess(Process.Start(start)!);
        watcher.process.ErrorDataReceived += watcher.Collect;
        watcher.process.OutputDataReceived += watcher.Collect;
        watcher.process.BeginErrorReadLine();
        watcher.process.BeginOutputReadLine();
        return watcher;
    }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => process.HasExited;

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
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        lock (log)
            log.AppendLine(line.Data);
    }
}
