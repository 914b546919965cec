using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Danm.Tests.Benchmarks;

/// <summary>What a whole process cost, as the kernel counted it.</summary>
/// <param name="Cpu">User and system time from fork to exit.</param>
/// <param name="Wall">From just before exec to the moment when it could be reaped.</param>
/// <param name="PeakKilobytes">Peak resident set.</param>
/// <param name="MinorFaults">Page faults that needed no disk.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Stdout">What it said.</param>
internal sealed record ProcessCost(TimeSpan Cpu, TimeSpan Wall, long PeakKilobytes, long MinorFaults, int ExitCode, string Stdout)
{
    /// <summary>The part of <see cref="Cpu"/> that plugins had, by the executable's own log.</summary>
    public TimeSpan PluginCpu { get; init; }
}

/// <summary>
/// Runs a program and asks wait4(2) what it cost.
/// <para>
/// The kernel hands the peak memory of whoever execs or forks by vfork on to the new program, and this process is large. So a small
/// shell forks it and ends at once; as a subreaper this process inherits the orphan, and with it the right to wait for it. The
/// orphan execs only when it is told to, which keeps the shell's own start out of the wall time.
/// </para>
/// </summary>
internal sealed partial class MeasuredProcess : IDisposable
{
    private const int SetChildSubreaper = 36;
    private const int RusageWords = 18;
    private const string Script = "exec 3<&0; ( read -r go <&3; exec 3<&-; exec \"$@\" <\"$IN\" >\"$OUT\" 2>\"$OUT.err\" ) & echo $!";

    private readonly string[] prefix;
    private readonly string folder;

    /// <param name="folder">For the program's input and output.</param>
    /// <param name="prefix">A command that the shell is started through, such as nsenter.</param>
    public MeasuredProcess(string folder, params string[] prefix)
    {
        (this.folder, this.prefix) = (folder, prefix);
        if (PrCtl(SetChildSubreaper, 1, 0, 0, 0) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "become a subreaper");
    }

    public async Task<ProcessCost> RunAsync(string[] command, IReadOnlyDictionary<string, string> environment, string input)
    {
        var (inputFile, outputFile) = (Path.Combine(folder, "in"), Path.Combine(folder, "out"));
        await File.WriteAllTextAsync(inputFile, input);
        string[] line = [.. prefix, "/bin/sh", "-c", Script, "sh", .. command];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment.Clear();
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["IN"] = inputFile;
        start.Environment["OUT"] = outputFile;
        using var shell = Process.Start(start)!;
        var pid = int.Parse(await shell.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"no process: {string.Join(' ', line)}"));
        await shell.WaitForExitAsync();

        var begin = Stopwatch.GetTimestamp();
        await shell.StandardInput.WriteAsync("go\n");
        await shell.StandardInput.FlushAsync();
        var (status, usage) = Wait(pid);
        var wall = Stopwatch.GetElapsedTime(begin);
        return new ProcessCost(
            TimeSpan.FromMicroseconds(((usage[0] + usage[2]) * 1_000_000) + usage[1] + usage[3]),
            wall,
            usage[4],
            usage[8],
            (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f),
            await File.ReadAllTextAsync(outputFile) + await File.ReadAllTextAsync($"{outputFile}.err"));
    }

    /// <summary>Orphans go to init again.</summary>
    public void Dispose() => _ = PrCtl(SetChildSubreaper, 0, 0, 0, 0);

    // struct rusage: ru_utime and ru_stime (seconds, microseconds each), ru_maxrss in KiB, three unused, ru_minflt, and what nobody asks for here.
    private static (int Status, long[] Usage) Wait(int pid)
    {
        var usage = new long[RusageWords];
        while (Wait4(pid, out var status, 0, usage) is var waited)
        {
            if (waited == pid)
                return (status, usage);
            if (Marshal.GetLastPInvokeError() is not 4 /* EINTR */ and var errno)
                throw new Win32Exception(errno, $"wait for process {pid}");
        }

        throw new UnreachableException();
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int PrCtl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    private static partial int Wait4(int pid, out int status, int options, [Out] long[] usage);
}
