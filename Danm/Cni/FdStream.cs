using System.Runtime.InteropServices;

namespace Danm.Cni;

/// <summary>
/// A standard stream of the process by its file descriptor. <see cref="Console"/> and <see cref="FileStream"/> would do,
/// but set up encodings, terminal and signal handling first: half of the CPU time of a VERSION.
/// </summary>
internal sealed unsafe partial class FdStream(int fd) : Stream
{
    private const int EINTR = 4;
    private const int EAGAIN = 11;
    private const int EPIPE = 32;
    private const short POLLIN = 1;
    private const short POLLOUT = 4;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Whether this is a terminal, where reading would wait for a person.</summary>
    public bool IsTerminal => isatty(fd) == 1;

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            nint count;
            fixed (byte* start = buffer)
                count = read(fd, start, (nuint)buffer.Length);
            if (count >= 0)
                return (int)count;
            RetryOrThrow("read", POLLIN);
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint count;
            fixed (byte* start = buffer)
                count = write(fd, start, (nuint)buffer.Length);
            if (count >= 0)
                buffer = buffer[(int)count..];
            else
                RetryOrThrow("write", POLLOUT);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // A runtime may hand us a non-blocking pipe: wait for it rather than spin.
    private void RetryOrThrow(string call, short events)
    {
        var errno = Marshal.GetLastPInvokeError();
        if (errno == EINTR)
            return;
        if (errno != EAGAIN)
        {
            var message = $"{call} of file descriptor {fd}: {Marshal.GetPInvokeErrorMessage(errno)}";
            throw errno == EPIPE ? new BrokenPipeException(message) : new IOException(message);
        }

        var wait = new PollFd { Fd = fd, Events = events };
        _ = poll(&wait, 1, -1);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollFd* fds, nuint count, int timeout);

    [LibraryImport("libc")]
    private static partial int isatty(int fd);
}
