using System.Runtime.InteropServices;
using System.Text;

namespace Danm.Netlink;

/// <summary>What a look at the path of a network namespace tells.</summary>
public enum NamespaceSight
{
    /// <summary>Nothing: the look failed.</summary>
    Unknown,

    /// <summary>Something is there that is one, or may be.</summary>
    Present,

    /// <summary>Nothing is there that could be one.</summary>
    Gone,
}

/// <summary>
/// Paths of network namespaces as the host's first process sees them, from whatever mount namespace we are in. Links are followed inside
/// that view: /var/run is an absolute link on most hosts, and would lead out of it into our own /run.
/// </summary>
/// <param name="root">Where that view begins; other ones are for tests.</param>
public sealed partial class HostNamespaces(string root = HostNamespaces.FirstProcess)
{
    /// <summary>The root folder of the first process, proc(5).</summary>
    public const string FirstProcess = "/proc/1/root";

    private const nint SYS_openat2 = 437; // the same number on all architectures
    private const ulong RESOLVE_IN_ROOT = 0x10;
    private const int EXDEV = 18, ENOSYS = 38;

    private static int NoFollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>Looks at a path; nothing is opened for reading, since it may lead to a device or a pipe.</summary>
    public NamespaceSight Look(string path)
    {
        if (string.IsNullOrEmpty(path) || path.Contains('\0'))
            return NamespaceSight.Unknown;
        using var folder = TryOpen(root);
        if (folder is null)
            return NamespaceSight.Unknown;
        var (found, errno) = Open(folder, path, 0);
        if (errno is EXDEV or Errno.ELOOP)
        {
            // /proc/PID/ns/net is no path that can be followed inside a view; that it is there says that the process is.
            (found, errno) = Open(folder, path, NoFollow);
            using (found)
                return found is not null ? NamespaceSight.Present : Of(errno);
        }

        if (errno == ENOSYS)
            return SharesMounts() ? NetworkNamespace.MayBeAt(path) ? NamespaceSight.Present : NamespaceSight.Gone : NamespaceSight.Unknown;
        using (found)
            return found is null ? Of(errno) : IsNamespace(found) ? NamespaceSight.Present : NamespaceSight.Gone;
    }

    private static NamespaceSight Of(int errno) => errno is Errno.ENOENT or Errno.ENOTDIR ? NamespaceSight.Gone : NamespaceSight.Unknown;

    // Kernels before 5.6 cannot follow links inside a view; where the view is our own there is no need to.
    private bool SharesMounts() => root == FirstProcess
        && TryReadLink("/proc/1/ns/mnt") is { } first && first == TryReadLink("/proc/self/ns/mnt");

    private static string? TryReadLink(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.Name;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static unsafe Descriptor? TryOpen(string path)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var fd = Native.open(bytes, Native.O_PATH | Native.O_CLOEXEC);
            return fd < 0 ? null : new Descriptor(fd);
        }
    }

    private static unsafe (Descriptor? Found, int Errno) Open(Descriptor folder, string path, int flags)
    {
        var how = new OpenHow { Flags = (ulong)(uint)(Native.O_PATH | Native.O_CLOEXEC | flags), Resolve = RESOLVE_IN_ROOT };
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var fd = syscall(SYS_openat2, folder.Value, (nint)bytes, (nint)(&how), sizeof(OpenHow));
            return fd < 0 ? (null, Marshal.GetLastPInvokeError()) : (new Descriptor((int)fd), 0);
        }
    }

    private static unsafe bool IsNamespace(Descriptor found)
    {
        // struct statfs has 120 bytes.
        var buffer = stackalloc long[32];
        return Native.fstatfs(found.Value, buffer) != 0 || buffer[0] == Native.NSFS_MAGIC;
    }

    /// <summary><c>struct open_how</c>, openat2(2).</summary>
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint folder, nint path, nint how, nint size);
}
