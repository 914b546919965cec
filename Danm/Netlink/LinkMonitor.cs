using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>Hears of every change of the links and addresses of one network namespace (RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR).</summary>
public sealed unsafe class LinkMonitor : IDisposable
{
    // Bit n-1 stands for group n: RTNLGRP_LINK is 1, RTNLGRP_IPV4_IFADDR 5, RTNLGRP_IPV6_IFADDR 9.
    private const uint Groups = (1 << 0) | (1 << 4) | (1 << 8);

    private readonly Descriptor socket;

    private LinkMonitor(Descriptor socket) => this.socket = socket;

    /// <summary>Begins to listen in the calling thread's namespace.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static LinkMonitor Open()
    {
        var fd = Native.socket(Native.AF_NETLINK, NetlinkChannel.SocketType, Native.NETLINK_ROUTE);
        if (fd < 0)
            ThrowHelper.SystemCall("open route socket");
        var socket = new Descriptor(fd);
        // struct sockaddr_nl: family u16, pad u16, pid u32, groups u32. To be a member is not enough: a socket without a port, which the
        // kernel gives it here, counts as the sender of what the kernel itself says, and is spared it.
        var address = stackalloc uint[] { Native.AF_NETLINK, 0, Groups };
        try
        {
            if (Native.bind(fd, address, 3 * sizeof(uint)) != 0)
                ThrowHelper.SystemCall("join the groups of link changes");
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new LinkMonitor(socket);
    }

    /// <summary>Listens on a thread of its own until it is cancelled, which it notices within a second.</summary>
    /// <param name="changed">Called on that thread, once for what comes together.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static Thread Start(Action changed, CancellationToken cancellation)
    {
        var monitor = Open();
        var thread = new Thread(() =>
        {
            using (monitor)
            {
                while (!cancellation.IsCancellationRequested)
                {
                    if (monitor.Wait(TimeSpan.FromSeconds(1)))
                        changed();
                }
            }
        })
        {
            IsBackground = true,
            Name = "link monitor",
        };
        thread.Start();
        return thread;
    }

    /// <summary>
    /// Waits until something has changed, or the time is over; takes all news that have come. News that the kernel had to drop count as news.
    /// </summary>
    public bool Wait(TimeSpan time)
    {
        var wait = stackalloc long[] { (long)time.TotalSeconds, time.Microseconds + (time.Milliseconds * 1000L) };
        _ = Native.setsockopt(socket.Value, Native.SOL_SOCKET, Native.SO_RCVTIMEO, wait, 2 * sizeof(long));
        var buffer = stackalloc byte[64];
        var heard = false;
        var flags = Native.MSG_TRUNC;
        while (true)
        {
            if (Native.recvfrom(socket.Value, buffer, 64, flags, null, null) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno == Errno.EINTR)
                    continue;
                if (errno != Errno.ENOBUFS)
                    return heard;
            }

            heard = true;
            flags = Native.MSG_TRUNC | Native.MSG_DONTWAIT;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();
}
