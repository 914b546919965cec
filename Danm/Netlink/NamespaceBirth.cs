using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>Makes a network namespace on a thread of its own (unshare(2)), which goes back home with a descriptor of it.</summary>
internal sealed unsafe class NamespaceBirth
{
    /// <summary>How the namespace is called in errors.</summary>
    public const string Path = "/proc/thread-self/ns/net";

    private const int StackSize = 256 * 1024;

    private readonly int home;
    private readonly byte[] path = [.. "/proc/thread-self/ns/net\0"u8];
    private int fd = -1;
    private int errno;

    private NamespaceBirth(int home) => this.home = home;

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static Descriptor Run(NetworkNamespace home)
    {
        var birth = new NamespaceBirth(home.Descriptor);
        var thread = new Thread(birth.OnNamespaceThread, StackSize) { IsBackground = true };
        thread.UnsafeStart();
        thread.Join();
        return birth.fd >= 0 ? new Descriptor(birth.fd) : throw new NetlinkException(birth.errno, "make a network namespace");
    }

    // As in NamespaceVisit: system calls on memory made beforehand, and nothing else.
    private void OnNamespaceThread()
    {
        if (Native.unshare(Native.CLONE_NEWNET) != 0)
        {
            errno = Marshal.GetLastPInvokeError();
            return;
        }

        fixed (byte* bytes = path)
            fd = Native.open(bytes, Native.O_RDONLY | Native.O_CLOEXEC);
        if (fd < 0)
            errno = Marshal.GetLastPInvokeError();
        // Should this fail, the thread ends in a moment anyway.
        _ = Native.setns(home, Native.CLONE_NEWNET);
    }
}
