using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>The throws of the wire code, kept out of the methods that would otherwise not be inlined.</summary>
internal static class ThrowHelper
{
    /// <summary>A message of the kernel contradicts its own lengths.</summary>
    [DoesNotReturn]
    public static void Malformed(string what) =>
        throw new NetlinkException(Errno.EBADMSG, "read netlink message", $"malformed {what}");

    /// <summary>A request does not fit the room that was set aside for it.</summary>
    [DoesNotReturn]
    public static void RequestTooLong() =>
        throw new NetlinkException(Errno.EMSGSIZE, "write netlink message", "the request does not fit its buffer");

    /// <summary>A system call other than a netlink request failed; the cause is the calling thread's errno.</summary>
    [DoesNotReturn]
    public static void SystemCall(string operation) =>
        throw new NetlinkException(Marshal.GetLastPInvokeError(), operation);
}
