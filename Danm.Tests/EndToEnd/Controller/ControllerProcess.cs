using System.Diagnostics;
using System.Text;

namespace Danm.Tests.EndToEnd.Controller;

/// <summary>A running <c>danm controller</c>.</summary>
internal sealed class ControllerProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder log = new();

    private ControllerProcess(Process process) => this.process = process;

    public int Id => process.Id;

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

    /// <summary>Starts one that listens nowhere unless the arguments say so: several may be here.</summary>
    public static ControllerProcess Start(params ReadOnlySpan<string> arguments)
    {
        string[] listening = arguments.ToArray().Any(a => a.Contains("-bind-address", StringComparison.Ordinal)) ? [] : ["--health-probe-bind-address=0", "--metrics-bind-address=0"];
        var start = new ProcessStartInfo(DanmBinary.Path, ["controller", .. listening, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true,
        };
        var controller = new ControllerProcess(Process.Start(start)!);
        controller.process.ErrorDataReceived += controller.Collect;
        controller.process.OutputDataReceived += controller.Collect;
        controller.process.BeginErrorReadLine();
        controller.process.BeginOutputReadLine();
        return controller;
    }

    /// <summary>SIGTERM; gives the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{Id}"]))
            await kill.WaitForExitAsync();
        return await EndAsync();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        process.Kill();
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
        lock (log)
            log.AppendLine(line.Data);
    }
}
