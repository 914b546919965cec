using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Danm.Cni.Plugins;

/// <summary>What a plugin's process ended with.</summary>
/// <param name="ExitCode">Its exit code; negative: the number of the signal that ended it. (Shells say 128 + n, as a program may by itself.)</param>
/// <param name="Stdout">All of its standard output.</param>
/// <param name="Stderr">The start of its standard error.</param>
/// <param name="Cpu">The processor time of it and of what it has waited for.</param>
internal sealed record PluginOutput(int ExitCode, ReadOnlyMemory<byte> Stdout, string Stderr, TimeSpan Cpu);

/// <summary>
/// One run of a plugin: started by posix_spawn(3) as the leader of a process group, its input a memory file, so that no plugin that
/// ends without reading can block or break us, its output read with a bound. <see cref="System.Diagnostics.Process"/> knows neither
/// groups nor bounds, and sets up signal handling for the whole process.
/// </summary>
internal sealed partial class PluginProcess
{
    /// <summary>How long a plugin that has ended may have its output held open by what it started.</summary>
    private const int LingerMilliseconds = 500;

    private const int MaxStdout = CniJsonReader.MaxBytes;
    private const int MaxStderr = 64 << 10;
    private const int StackSize = 256 * 1024;

    private readonly Lock gate = new();
    private readonly int pid;
    private readonly string marker;
    private readonly SafeFileHandle stdout;
    private readonly SafeFileHandle stderr;
    private readonly Output output = new(MaxStdout);
    private readonly Output errors = new(MaxStderr);
    private bool reaped;
    private TimeSpan cpu;

    private PluginProcess(int pid, string marker, SafeFileHandle stdout, SafeFileHandle stderr) =>
        (this.pid, this.marker, this.stdout, this.stderr) = (pid, marker, stdout, stderr);

    /// <summary>Runs a program to its end. If the call is cancelled, it and all that it started are killed.</summary>
    /// <param name="program">The executable's path.</param>
    /// <param name="environment">Its environment, to which a mark of this run is added.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="ended">Is told of its end, also when that is a failure.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="PluginStartException">It cannot be started.</exception>
    /// <exception cref="PluginOutputException">It wrote too much, or left a process behind that holds its output.</exception>
    /// <exception cref="OperationCanceledException">It was killed.</exception>
    public static async Task<PluginOutput> RunAsync(
        string program, IReadOnlyDictionary<string, string> environment, ReadOnlyMemory<byte> input, Action<PluginOutput> ended, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var process = Start(program, environment, input.Span);
        using (process.stdout)
        using (process.stderr)
        await using (cancellation.UnsafeRegister(static p => ((PluginProcess)p!).Kill(), process).ConfigureAwait(false))
        {
            var exit = await process.FollowAsync().ConfigureAwait(false);
            var result = new PluginOutput(exit ?? -SIGKILL, process.output.Bytes, Encoding.UTF8.GetString(process.errors.Bytes.Span), process.cpu);
            ended(result);
            cancellation.ThrowIfCancellationRequested();
            if (process.output.IsTooLong)
                throw new PluginOutputException($"wrote more than {MaxStdout} bytes");
            return exit is null ? throw new PluginOutputException("ended, but a process that it started kept its standard output open") : result;
        }
    }

    private static PluginProcess Start(string program, IReadOnlyDictionary<string, string> environment, ReadOnlySpan<byte> input)
    {
        // Whatever a plugin leaves behind becomes ours, so that it can be found.
        _ = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        using var stdin = MemoryFile(input);
        var (outRead, outWrite) = Pipe();
        var (errRead, errWrite) = Pipe();
        var marker = $"{Marker}={Environment.ProcessId}.{Guid.NewGuid():n}";
        using (outWrite)
        using (errWrite)
        {
            try
            {
                var variables = environment.Where(v => v.Key != Marker).Select(v => $"{v.Key}={v.Value}");
                return new PluginProcess(Spawn(program, [.. variables, marker], stdin, outWrite, errWrite), marker, outRead, errRead);
            }
            catch
            {
                outRead.Dispose();
                errRead.Dispose();
                throw;
            }
        }
    }

    private static unsafe int Spawn(
        string program, string[] environment, SafeFileHandle stdin, SafeFileHandle stdout, SafeFileHandle stderr)
    {
        // Larger than posix_spawn_file_actions_t (80 bytes), posix_spawnattr_t (336) and sigset_t (128) of any libc.
        Span<long> actions = stackalloc long[64], attributes = stackalloc long[128], signals = stackalloc long[32];
        using var arguments = new TextBlock([program]);
        using var variables = new TextBlock(environment);
        fixed (long* a = actions, t = attributes, s = signals)
        {
            _ = posix_spawn_file_actions_init(a);
            _ = posix_spawnattr_init(t);
            try
            {
                _ = posix_spawn_file_actions_adddup2(a, Descriptor(stdin), 0);
                _ = posix_spawn_file_actions_adddup2(a, Descriptor(stdout), 1);
                _ = posix_spawn_file_actions_adddup2(a, Descriptor(stderr), 2);
                // The runtime ignores SIGPIPE, and an ignored signal is inherited through exec.
                _ = sigfillset(s);
                _ = posix_spawnattr_setsigdefault(t, s);
                _ = sigemptyset(s);
                _ = posix_spawnattr_setsigmask(t, s);
                _ = posix_spawnattr_setpgroup(t, 0);
                _ = posix_spawnattr_setflags(t, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
                var errno = posix_spawn(out var pid, program, a, t, arguments.Pointers, variables.Pointers);
                return errno == 0 ? pid : throw new PluginStartException(program, errno);
            }
            finally
            {
                _ = posix_spawn_file_actions_destroy(a);
                _ = posix_spawnattr_destroy(t);
            }
        }
    }

    // A thread that waits in poll(2), rather than the thread pool's: several plugins run at once, and the pool grows slowly.
    private Task<int?> FollowAsync()
    {
        var end = new TaskCompletionSource<int?>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(
            () =>
            {
                try
                {
                    end.SetResult(Follow());
                }
                catch (Exception e)
                {
                    end.SetException(e);
                }
            },
            StackSize) { IsBackground = true, Name = "plugin" }.Start();
        return end.Task;
    }

    /// <summary>The exit code; null if the output was still open when patience ended.</summary>
    private unsafe int? Follow()
    {
        using var ending = new SafeFileHandle((nint)syscall(SYS_pidfd_open, pid, 0), ownsHandle: true);
        int? exit = null;
        long deadline = 0;
        var fds = stackalloc PollFd[3];
        fds[0] = new PollFd { Fd = Descriptor(stdout), Events = POLLIN };
        fds[1] = new PollFd { Fd = Descriptor(stderr), Events = POLLIN };
        // A kernel without pidfds (before 5.3) is looked at ten times a second.
        fds[2] = new PollFd { Fd = ending.IsInvalid ? -1 : (int)ending.DangerousGetHandle(), Events = POLLIN };
        while (exit is null || fds[0].Fd >= 0)
        {
            var left = exit is null ? (ending.IsInvalid ? 100 : -1) : (int)Math.Max(0, deadline - Environment.TickCount64);
            if (poll(fds, 3, left) == 0 && exit is not null)
                break;
            if (fds[0].Returned != 0 && output.Read(fds[0].Fd))
                fds[0].Fd = -1;
            if (fds[1].Returned != 0 && errors.Read(fds[1].Fd))
                fds[1].Fd = -1;
            // Some child may go on writing that has left group and environment behind: it cannot be killed, only left alone.
            if (exit is not null && fds[0].Fd >= 0 && (output.IsTooLong || Environment.TickCount64 >= deadline))
                break;
            if (output.IsTooLong)
                Kill();
            if (exit is null && Reap() is { } code)
            {
                exit = code;
                deadline = Environment.TickCount64 + LingerMilliseconds;
                fds[2].Fd = -1;
            }
        }

        if (fds[1].Fd >= 0)
            _ = errors.Read(fds[1].Fd);
        if (fds[0].Fd < 0)
            return exit;
        Kill();
        return null;
    }

    private unsafe int? Reap()
    {
        lock (gate)
        {
            int waited;
            int status;
            var usage = stackalloc long[RusageWords];
            do
                waited = wait4(pid, out status, WNOHANG, usage);
            while (waited < 0 && Marshal.GetLastPInvokeError() == EINTR);
            if (waited == 0)
                return null;
            reaped = true;
            if (waited < 0)
                return -SIGKILL; // somebody else has reaped it, and nobody knows how it ended
            // ru_utime and ru_stime: seconds and microseconds each.
            cpu = TimeSpan.FromMicroseconds(((usage[0] + usage[2]) * 1_000_000) + usage[1] + usage[3]);
            return (status & 0x7f) == 0 ? (status >> 8) & 0xff : -(status & 0x7f);
        }
    }

    private void Kill()
    {
        lock (gate)
        {
            // Once reaped, the number may be another's; its group keeps it from that only while it has members.
            if (!reaped)
                _ = kill(-pid, SIGKILL);
        }

        // What left the group (setsid) is told from all else by the environment that it was started with, which holds this run's mark.
        PluginStrays.Kill(variables => variables.Contains(marker), pid);
    }

    private static SafeFileHandle MemoryFile(ReadOnlySpan<byte> content)
    {
        var file = new SafeFileHandle(memfd_create("config", MFD_CLOEXEC), ownsHandle: true);
        if (file.IsInvalid)
            throw new IOException($"memfd_create: {Marshal.GetLastPInvokeErrorMessage()}");
        RandomAccess.Write(file, content, 0);
        return file;
    }

    private static unsafe (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var fds = stackalloc int[2];
        if (pipe2(fds, O_CLOEXEC) != 0)
            throw new IOException($"pipe2: {Marshal.GetLastPInvokeErrorMessage()}");
        // Only our end: a plugin expects to wait when it writes.
        _ = fcntl(fds[0], F_SETFL, O_NONBLOCK);
        return (new SafeFileHandle(fds[0], ownsHandle: true), new SafeFileHandle(fds[1], ownsHandle: true));
    }

    private static int Descriptor(SafeFileHandle handle) => (int)handle.DangerousGetHandle();
}
