using Microsoft.Win32.SafeHandles;

namespace Danm.Netlink;

/// <summary>A file descriptor of our own, closed once.</summary>
internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor(int fd) : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>The number; valid while this object is kept alive and not disposed.</summary>
    public int Value => IsClosed ? throw new ObjectDisposedException(nameof(Descriptor)) : (int)handle;

    protected override bool ReleaseHandle() => Native.close((int)handle) == 0;
}
