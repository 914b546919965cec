using System.Runtime.InteropServices;

namespace Danm.Cni;

/// <summary>Whoever called the plugin and waits for its answer.</summary>
internal static partial class Listener
{
    private const short POLLERR = 8;

    /// <summary>
    /// Whether nobody reads standard output any more: a runtime that gives up kills the plugin that it called, not the IPAM plugin that
    /// this one called, and then calls DEL.
    /// </summary>
    public static unsafe bool IsGone
    {
        get
        {
            var output = new PollFd { Fd = 1 };
            return poll(&output, 1, 0) > 0 && (output.Returned & POLLERR) != 0;
        }
    }

    /// <summary><c>struct pollfd</c>.</summary>
    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int poll(PollFd* fds, nuint count, int timeout);
}
