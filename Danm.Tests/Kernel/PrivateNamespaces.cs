using System.Diagnostics;

namespace Danm.Tests.Kernel;

/// <summary>
/// A mount and a network namespace of our own on this machine's kernel: what happens to files and interfaces in them happens to nobody
/// else. They live as long as a shell that waits for the end of its standard input, and so never outlive this process.
/// </summary>
internal sealed class PrivateNamespaces : IAsyncDisposable
{
    private readonly Process holder;

    private PrivateNamespaces(Process holder, IReadOnlyList<string> enter) => (this.holder, Enter) = (holder, enter);

    /// <summary>The network namespace, for whoever opens sockets in it.</summary>
    public string NetworkPath => $"/proc/{holder.Id}/ns/net";

    /// <summary>Its files as processes outside see them.</summary>
    public string Root => $"/proc/{holder.Id}/root";

    /// <summary>What a command line that is to run inside begins with.</summary>
    public IReadOnlyList<string> Enter { get; }

    /// <param name="setUp">Bash that makes the place inside what it is to be; its first failing command ends it.</param>
    /// <param name="arguments">What the script sees as $1 and so on.</param>
    /// <exception cref="InvalidOperationException">A command failed, or there can be no namespaces; the message is the first complaint.</exception>
    public static Task<PrivateNamespaces> StartAsync(string setUp, params string[] arguments) => StartAsync(setUp, ownProcesses: false, arguments);

    /// <summary>The same with processes that are of the place too, for daemons: all that run inside end with it.</summary>
    /// <param name="setUp">Bash that makes the place inside what it is to be; its first failing command ends it.</param>
    /// <param name="ownProcesses">Whether there is a process namespace.</param>
    /// <param name="arguments">What the script sees as $1 and so on.</param>
    /// <exception cref="InvalidOperationException">A command failed, or there can be no namespaces; the message is the first complaint.</exception>
    public static async Task<PrivateNamespaces> StartAsync(string setUp, bool ownProcesses, params string[] arguments)
    {
        // As the first process of its namespace, Bash takes in what others leave behind.
        var script = $"set -e\n{setUp}\necho ready\nread -r || true";
        string[] processes = ownProcesses ? ["--pid", "--fork", "--kill-child", "--mount-proc"] : [];
        var holder = Start(["unshare", "--net", "--mount", "--propagation", "private", .. processes, "bash", "-c", script, "bash", .. arguments]);
        var errors = holder.StandardError.ReadToEndAsync();
        if (await holder.StandardOutput.ReadLineAsync() == "ready")
        {
            return new PrivateNamespaces(holder, ownProcesses
                ? ["nsenter", $"--target={await ChildAsync(holder)}", "--net", "--mount", "--pid"]
                : ["nsenter", $"--target={holder.Id}", "--net", "--mount"]);
        }

        await holder.WaitForExitAsync();
        holder.Dispose();
        throw new InvalidOperationException((await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "no reason given");
    }

    /// <summary>Runs a Bash script inside.</summary>
    /// <exception cref="TimeoutException">It was not done in time; it and its children are ended.</exception>
    public async Task<GuestResult> RunAsync(string script, TimeSpan timeout)
    {
        using var process = Start([.. Enter, "bash", "-c", script]);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"not done within {timeout.TotalSeconds:0} s: {script.Trim()}");
        }

        return new GuestResult(process.ExitCode, await output, await error);
    }

    public async ValueTask DisposeAsync()
    {
        holder.StandardInput.Close();
        await holder.WaitForExitAsync();
        holder.Dispose();
    }

    private static async Task<string> ChildAsync(Process parent) =>
        (await File.ReadAllTextAsync($"/proc/{parent.Id}/task/{parent.Id}/children")).Trim();

    private static Process Start(string[] line)
    {
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/bin:/sbin:/bin";
        return Process.Start(start)!;
    }
}
