using System.Runtime.InteropServices;
using System.Text;

namespace Danm.Cni.Plugins;

internal sealed partial class PluginProcess
{
    /// <summary>Names one run of a plugin, with its caller's number first, so that what it leaves behind can be told from others'.</summary>
    internal const string Marker = "DANM_CALL";

    private const int PR_SET_CHILD_SUBREAPER = 36, SYS_pidfd_open = 434, WNOHANG = 1, RusageWords = 18, SIGKILL = 9, EINTR = 4, EAGAIN = 11;
    private const int O_CLOEXEC = 0x80000, O_NONBLOCK = 0x800, F_SETFL = 4;
    private const uint MFD_CLOEXEC = 1;
    private const short POLLIN = 1, POSIX_SPAWN_SETPGROUP = 2, POSIX_SPAWN_SETSIGDEF = 4, POSIX_SPAWN_SETSIGMASK = 8;

    /// <summary>What came out of a pipe, up to a limit; what is beyond is read and dropped, so that nobody waits for us.</summary>
    private sealed class Output(int limit)
    {
        private byte[] buffer = new byte[4096];
        private int length;

        public bool IsTooLong { get; private set; }

        public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

        /// <summary>Reads what there is; true at the end.</summary>
        public unsafe bool Read(int fd)
        {
            var scratch = stackalloc byte[16 << 10];
            while (true)
            {
                var n = read(fd, scratch, 16 << 10);
                if (n == 0)
                    return true;
                if (n < 0)
                {
                    if (Marshal.GetLastPInvokeError() == EINTR)
                        continue;
                    return Marshal.GetLastPInvokeError() != EAGAIN;
                }

                var taken = (int)Math.Min(n, limit - length);
                IsTooLong |= taken < n;
                if (length + taken > buffer.Length)
                    Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + taken));
                new ReadOnlySpan<byte>(scratch, taken).CopyTo(buffer.AsSpan(length));
                length += taken;
                if (IsTooLong)
                    return false;
            }
        }
    }

    /// <summary>Texts as execve(2) wants them: a list of pointers that ends in null.</summary>
    private sealed unsafe class TextBlock : IDisposable
    {
        public TextBlock(string[] texts)
        {
            Pointers = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Length + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < texts.Length; i++)
                Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        public byte** Pointers { get; }

        public void Dispose()
        {
            for (var p = Pointers; *p != null; p++)
                Marshal.FreeCoTaskMem((nint)(*p));
            NativeMemory.Free(Pointers);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int posix_spawn(out int pid, string path, long* actions, long* attributes, byte** argv, byte** envp);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_init(long* actions);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_destroy(long* actions);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_adddup2(long* actions, int fd, int wanted);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_init(long* attributes);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_destroy(long* attributes);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setflags(long* attributes, short flags);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setpgroup(long* attributes, int group);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setsigdefault(long* attributes, long* signals);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setsigmask(long* attributes, long* signals);

    [LibraryImport("libc")]
    private static unsafe partial int sigemptyset(long* signals);

    [LibraryImport("libc")]
    private static unsafe partial int sigfillset(long* signals);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int pipe2(int* fds, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int poll(PollFd* fds, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int wait4(int pid, out int status, int options, long* usage);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long syscall(long number, long first, long second);
}

/// <summary>A plugin could not be started.</summary>
internal sealed class PluginStartException(string program, int errno)
    : Exception($"cannot start {program}: {Marshal.GetPInvokeErrorMessage(errno)}")
{
    /// <summary>The error number of posix_spawn(3).</summary>
    public int Errno { get; } = errno;
}

/// <summary>A plugin's output is not to be had; the message goes on after the plugin's name.</summary>
internal sealed class PluginOutputException(string message) : Exception(message);
