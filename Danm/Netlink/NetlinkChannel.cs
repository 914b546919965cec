using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>A way to the kernel: datagrams out, datagrams in.</summary>
internal interface INetlinkChannel : IDisposable
{
    /// <summary>Sends one datagram; returns 0 or an errno.</summary>
    int Send(ReadOnlySpan<byte> datagram);

    /// <summary>Waits for one datagram; returns its length, or an errno as a negative number.</summary>
    int Receive(Span<byte> buffer);
}

/// <summary>A NETLINK_ROUTE socket.</summary>
internal sealed unsafe class NetlinkChannel : INetlinkChannel
{
    public const int SocketType = Native.SOCK_RAW | Native.SOCK_CLOEXEC;

    // Answers are queued before send returns; only a broken kernel lets us wait.
    private const int ReceiveTimeoutSeconds = 10;

    private readonly Descriptor _socket;

    /// <summary>Takes a socket over and sets it up.</summary>
    public NetlinkChannel(Descriptor socket)
    {
        _socket = socket;
        try
        {
            // Kernels before 4.12, resp. 4.20, lack the latter three: errors say less then, and dumps are filtered here only.
            SetOption(Native.SOL_NETLINK, Native.NETLINK_CAP_ACK);
            SetOption(Native.SOL_NETLINK, Native.NETLINK_EXT_ACK);
            SetOption(Native.SOL_NETLINK, Native.NETLINK_GET_STRICT_CHK);
            var timeout = stackalloc long[] { ReceiveTimeoutSeconds, 0 };
            if (Native.setsockopt(socket.Value, Native.SOL_SOCKET, Native.SO_RCVTIMEO, timeout, 2 * sizeof(long)) != 0)
                ThrowHelper.SystemCall("set receive time-out of route socket");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens a socket in the calling thread's namespace.</summary>
    public static NetlinkChannel Open()
    {
        var fd = Native.socket(Native.AF_NETLINK, SocketType, Native.NETLINK_ROUTE);
        if (fd < 0)
            ThrowHelper.SystemCall("open route socket");
        return new NetlinkChannel(new Descriptor(fd));
    }

    public int Send(ReadOnlySpan<byte> datagram)
    {
        fixed (byte* bytes = datagram)
        {
            while (Native.send(_socket.Value, bytes, (nuint)datagram.Length, 0) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                    return errno;
            }
        }

        return 0;
    }

    public int Receive(Span<byte> buffer)
    {
        const int SenderLength = 12, SenderPortOffset = 1;
        var sender = stackalloc uint[SenderLength / sizeof(uint)];
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                uint senderLength = SenderLength;
                var received = Native.recvfrom(_socket.Value, bytes, (nuint)buffer.Length, Native.MSG_TRUNC, sender, &senderLength);
                if (received < 0)
                {
                    var errno = Marshal.GetLastPInvokeError();
                    if (errno == Errno.EINTR)
                        continue;
                    return errno == Errno.EAGAIN ? -Errno.ETIMEDOUT : -errno;
                }

                if (received > buffer.Length)
                    return -Errno.EMSGSIZE;
                // The kernel is port 0; any other is a process that pretends.
                if (senderLength == SenderLength && sender[SenderPortOffset] == 0)
                    return (int)received;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private void SetOption(int level, int name)
    {
        var on = 1;
        _ = Native.setsockopt(_socket.Value, level, name, &on, sizeof(int));
    }
}
