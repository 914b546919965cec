using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>The system calls of this layer, under the names and with the constants of the manual pages (x86-64 and arm64 agree on them).</summary>
internal static unsafe partial class Native
{
    public const int AF_UNSPEC = 0, AF_INET = 2, AF_BRIDGE = 7, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17;
    public const int SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000;
    public const int NETLINK_ROUTE = 0;
    public const int SOL_SOCKET = 1, SO_RCVTIMEO = 20;
    public const int SOL_NETLINK = 270, NETLINK_CAP_ACK = 10, NETLINK_EXT_ACK = 11, NETLINK_GET_STRICT_CHK = 12;
    public const int MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40;
    public const int O_RDONLY = 0, O_WRONLY = 1, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000, O_PATH = 0x200000;
    public const int CLONE_NEWNET = 0x40000000;
    public const long NSFS_MAGIC = 0x6e736673;
    public const nuint NS_GET_NSTYPE = 0xb703;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int bind(int fd, void* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint sendto(int fd, byte* buffer, nuint length, int flags, void* address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint recvfrom(int fd, byte* buffer, nuint length, int flags, void* address, uint* addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int open(byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint write(int fd, byte* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setns(int fd, int type);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request);

    /// <summary>Fills a <c>struct stat</c>, of which only the first two words (st_dev, st_ino) are read here.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fstat(int fd, ulong* stat);

    /// <summary>Fills a <c>struct statfs</c>, of which only the first word (f_type) is read here.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fstatfs(int fd, long* statfs);
}
