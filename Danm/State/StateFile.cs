using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danm.State;

/// <summary>
/// A file of the node's state, locked by its process: flock(2) ends with the process, whatever kills it. Opened without following
/// links and readable by root only, since DEL acts on what it says.
/// </summary>
internal sealed partial class StateFile : IDisposable
{
    private const int O_RDONLY = 0, O_RDWR = 2, O_CREAT = 0x40, O_APPEND = 0x400, O_CLOEXEC = 0x80000;
    private const int LOCK_EX = 2, LOCK_NB = 4, EINTR = 4, ENOENT = 2, EWOULDBLOCK = 11, EROFS = 30;

    private readonly SafeFileHandle handle;

    private StateFile(string path, SafeFileHandle handle) => (Path, this.handle) = (path, handle);

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>What makes the content untrustworthy, as the end of "the file …"; null if nothing does.</summary>
    public string? Fault { get; private init; }

    /// <summary>
    /// Opens and locks. Null if there is no such file and <paramref name="create"/> is not set, or if somebody else holds the lock
    /// and <paramref name="wait"/> is over. On a disk that is read-only, what is there can still be read. A file that is not to be
    /// trusted is opened as such, or with <paramref name="create"/> replaced.
    /// </summary>
    /// <exception cref="IOException">The file cannot be opened, or is a link.</exception>
    public static async Task<StateFile?> OpenAsync(string path, bool create, TimeSpan wait, CancellationToken cancellation)
    {
        var deadline = Environment.TickCount64 + (long)wait.TotalMilliseconds;
        var access = O_RDWR;
        while (true)
        {
            var fd = open(path, access | O_APPEND | OpenFlags.NoFollow | O_CLOEXEC | (create ? O_CREAT : 0), 0x180 /* 0600 */);
            if (fd < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno == EINTR)
                    continue;
                if (errno == EROFS && !create && access == O_RDWR)
                {
                    access = O_RDONLY;
                    continue;
                }

                return errno == ENOENT && !create ? null : throw Failure("open", path, errno);
            }

            var handle = new SafeFileHandle(fd, ownsHandle: true);
            if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            {
                // Whoever held the lock before may have removed what was opened here.
                var file = IsStillAt(path, handle) ? new StateFile(path, handle) { Fault = FileStatus.Of(handle).Fault } : null;
                if (file is { Fault: null } || (file is not null && !create))
                {
                    if (create && file.Length == 0)
                        SyncFolder(System.IO.Path.GetDirectoryName(path)!);
                    return file;
                }

                using (handle)
                    file?.Delete();
                continue;
            }

            var reason = Marshal.GetLastPInvokeError();
            handle.Dispose();
            if (reason is not (EWOULDBLOCK or EINTR))
                throw Failure("lock", path, reason);
            if (Environment.TickCount64 >= deadline)
                return null;
            await Task.Delay(20, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The content of a file without its lock; null if it is gone, not to be trusted or cannot be read.</summary>
    public static byte[]? TryPeek(string path)
    {
        var fd = open(path, OpenFlags.NoFollow | O_CLOEXEC, 0);
        if (fd < 0)
            return null;
        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        try
        {
            return FileStatus.Of(handle).Fault is null ? new StateFile(path, handle).ReadTail(int.MaxValue) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>How many bytes it has.</summary>
    public long Length => RandomAccess.GetLength(handle);

    /// <summary>What was written last.</summary>
    /// <param name="size">How many bytes of the end; fewer where the file is shorter.</param>
    public byte[] ReadTail(int size)
    {
        var length = Length;
        var start = Math.Max(0, length - size);
        var content = new byte[length - start];
        var read = 0;
        while (read < content.Length && RandomAccess.Read(handle, content.AsSpan(read), start + read) is > 0 and var n)
            read += n;
        return content.AsSpan(0, read).ToArray();
    }

    /// <summary>Adds to the end; with <paramref name="sync"/> it survives a power cut from here on.</summary>
    public unsafe void Append(ReadOnlySpan<byte> bytes, bool sync)
    {
        while (!bytes.IsEmpty)
        {
            nint n;
            fixed (byte* p = bytes)
                n = write(handle.DangerousGetHandle().ToInt32(), p, (nuint)bytes.Length);
            if (n < 0)
            {
                if (Marshal.GetLastPInvokeError() == EINTR)
                    continue;
                throw Failure("write", Path, Marshal.GetLastPInvokeError());
            }

            bytes = bytes[(int)n..];
        }

        if (sync && fdatasync(handle.DangerousGetHandle().ToInt32()) != 0)
            throw Failure("sync", Path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Removes the file; the lock goes with <see cref="Dispose"/>.</summary>
    public void Delete()
    {
        if (unlink(Path) != 0 && Marshal.GetLastPInvokeError() is var errno and not ENOENT)
            throw Failure("remove", Path, errno);
    }

    /// <summary>Makes names in a folder survive a power cut.</summary>
    public static void SyncFolder(string path)
    {
        var fd = open(path, OpenFlags.Directory | O_CLOEXEC, 0);
        if (fd < 0)
            throw Failure("open", path, Marshal.GetLastPInvokeError());
        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (fsync(fd) != 0)
            throw Failure("sync", path, Marshal.GetLastPInvokeError());
    }

    public void Dispose() => handle.Dispose();

    // What is open cannot give its inode to another file.
    private static unsafe bool IsStillAt(string path, SafeFileHandle handle)
    {
        // struct stat has 144 bytes or less, and begins with st_dev and st_ino.
        ulong* open = stackalloc ulong[32], named = stackalloc ulong[32];
        return fstat(handle.DangerousGetHandle().ToInt32(), open) == 0 && lstat(path, named) == 0 && open[0] == named[0] && open[1] == named[1];
    }

    private static IOException Failure(string verb, string path, int errno) =>
        new($"{verb} \"{path}\": {new Win32Exception(errno).Message}");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint write(int fd, byte* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);

    [LibraryImport("libc")]
    private static unsafe partial int fstat(int fd, ulong* stat);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int lstat(string path, ulong* stat);
}
