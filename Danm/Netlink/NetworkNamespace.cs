using System.Runtime.InteropServices;
using System.Text;

namespace Danm.Netlink;

/// <summary>What makes one network namespace different from another, while it lives. Inodes of dead ones are used again at once.</summary>
/// <param name="Device">Device number of the nsfs.</param>
/// <param name="Inode">Inode number.</param>
public readonly record struct NamespaceIdentity(ulong Device, ulong Inode);

/// <summary>A network namespace, kept alive while this is open.</summary>
public sealed class NetworkNamespace : IDisposable
{
    // Only namespace threads ever change their namespace, so what any other thread is in is the process's own.
    private static NetworkNamespace? s_own;

    private readonly Descriptor _handle;

    private NetworkNamespace(string path, Descriptor handle, NamespaceIdentity identity)
    {
        Path = path;
        _handle = handle;
        Identity = identity;
    }

    /// <summary>The path it was opened by.</summary>
    public string Path { get; }

    /// <summary>Which namespace it is.</summary>
    public NamespaceIdentity Identity { get; }

    /// <summary>The descriptor's number, for IFLA_NET_NS_FD and setns(2).</summary>
    internal int Descriptor => _handle.Value;

    /// <summary>Opens a namespace by a path such as <c>/run/netns/x</c> or <c>/proc/7/ns/net</c>.</summary>
    /// <exception cref="NetworkNamespaceException">There is none at this path.</exception>
    public static NetworkNamespace Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Contains('\0'))
            throw new NetworkNamespaceException(path, Errno.EINVAL);
        var handle = OpenReadOnly(path);
        try
        {
            return new NetworkNamespace(path, handle, Identify(path, handle.Value));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether a namespace is at a path, or something that cannot be looked at. Opens nothing: the path may come from a stranger, and to
    /// open a device or a pipe is to use it.
    /// </summary>
    public static unsafe bool MayBeAt(string path)
    {
        if (string.IsNullOrEmpty(path) || path.Contains('\0'))
            return false;
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var fd = Native.open(bytes, Native.O_PATH | Native.O_CLOEXEC);
            if (fd < 0)
                return Marshal.GetLastPInvokeError() is not (Errno.ENOENT or Errno.ENOTDIR);
            using var handle = new Descriptor(fd);
            var buffer = stackalloc long[32];
            return Native.fstatfs(fd, buffer) != 0 || buffer[0] == Native.NSFS_MAGIC;
        }
    }

    /// <summary>Opens the process's own namespace.</summary>
    public static NetworkNamespace OpenCurrent() => Open("/proc/self/ns/net");

    /// <summary>Makes a namespace that nobody else knows: it and what is in it end when this is closed.</summary>
    /// <exception cref="NetlinkException">The kernel refused (EPERM without CAP_SYS_ADMIN).</exception>
    public static NetworkNamespace Make()
    {
        var own = s_own ?? Interlocked.CompareExchange(ref s_own, OpenCurrent(), null) ?? s_own;
        var handle = NamespaceBirth.Run(own);
        try
        {
            return new NetworkNamespace(NamespaceBirth.Path, handle, Identify(NamespaceBirth.Path, handle.Value));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Goes into the namespace on a thread of its own and comes back with the sockets that were asked for; sockets stay in the
    /// namespace where they were opened. Parameters are written in order; one that fails does not stop the others.
    /// </summary>
    /// <exception cref="NetlinkException">The namespace cannot be entered, or a socket not opened.</exception>
    public NamespaceVisit Visit(VisitSockets sockets, params ReadOnlySpan<Sysctl> sysctls)
    {
        var own = s_own ?? Interlocked.CompareExchange(ref s_own, OpenCurrent(), null) ?? s_own;
        return NamespaceVisit.Run(this, own, sockets, sysctls);
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <inheritdoc/>
    public override string ToString() => Path;

    // A path may come from an object of a tenant: opening a device can start what it stands for, and opening a pipe wakes who waits
    // at its other end. So it is only looked up first, and opened if it is on the file system of the namespaces.
    private static unsafe Descriptor OpenReadOnly(string path)
    {
        using var place = Open(path, path, Native.O_PATH | Native.O_CLOEXEC);
        // struct statfs has 120 bytes.
        var buffer = stackalloc long[32];
        if (Native.fstatfs(place.Value, buffer) != 0)
            throw new NetworkNamespaceException(path, Marshal.GetLastPInvokeError());
        if (buffer[0] != Native.NSFS_MAGIC)
            throw new NetworkNamespaceException(path, 0);
        return Open($"/proc/self/fd/{place.Value}", path, Native.O_RDONLY | Native.O_CLOEXEC);
    }

    private static unsafe Descriptor Open(string path, string named, int flags)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var fd = Native.open(bytes, flags);
            return fd < 0 ? throw new NetworkNamespaceException(named, Marshal.GetLastPInvokeError()) : new Descriptor(fd);
        }
    }

    private static unsafe NamespaceIdentity Identify(string path, int fd)
    {
        // struct stat has 144 bytes or less.
        var buffer = stackalloc ulong[32];
        if (Native.ioctl(fd, Native.NS_GET_NSTYPE) != Native.CLONE_NEWNET)
            throw new NetworkNamespaceException(path, 0);
        if (Native.fstat(fd, buffer) != 0)
            throw new NetworkNamespaceException(path, Marshal.GetLastPInvokeError());
        return new NamespaceIdentity(buffer[0], buffer[1]);
    }
}

/// <summary>There is no network namespace at a path.</summary>
public sealed class NetworkNamespaceException : Exception
{
    internal NetworkNamespaceException(string path, int errno)
        : base($"open network namespace \"{Printable(path)}\": {(errno == 0 ? "not a network namespace" : Netlink.Errno.Describe(errno))}")
    {
        Path = path;
        Errno = errno;
    }

    /// <summary>The path.</summary>
    public string Path { get; }

    /// <summary>The error number of open(2), or 0 if something else than a network namespace is there.</summary>
    public int Errno { get; }

    /// <summary>
    /// Whether nothing is there that could be a namespace: no file, or what is left of a mount point after a reboot.
    /// </summary>
    public bool IsGone => Errno is 0 or Netlink.Errno.ENOENT or Netlink.Errno.ENOTDIR;

    private static string Printable(string path) => string.Concat(path.Select(static c => char.IsControl(c) ? '?' : c));
}
