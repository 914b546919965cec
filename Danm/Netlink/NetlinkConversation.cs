using System.Buffers;
using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>What is asked, for the message of an error; put into words only when one is needed.</summary>
internal readonly record struct Operation(string Verb, object? Subject = null)
{
    public override string ToString() => Subject is null ? Verb : $"{Verb} \"{Subject}\"";
}

/// <summary>A request in a buffer of several: where it ends, what it is, and the error that counts as "nothing to do".</summary>
internal readonly record struct PendingRequest(int End, Operation Operation, int ToleratedErrno);

/// <summary>Reads one item from a message of an answer; false if the message is not about one.</summary>
internal delegate bool MessageParser<T>(in NetlinkMessage message, out T item);

/// <summary>Sees a message that is neither an error nor an acknowledgement.</summary>
internal delegate void MessageHandler(in NetlinkMessage message);

/// <summary>
/// Requests and their answers over one channel: sequence numbers, acknowledgements, dumps and their repetition.
/// One conversation at a time; not for several threads.
/// </summary>
internal sealed class NetlinkConversation(INetlinkChannel channel) : IDisposable
{
    // The kernel makes a dump's datagrams no larger than this unless it must; our links come without their long parts.
    private const int ReceiveBufferLength = 32 * 1024;

    // Below the socket's send buffer on every system.
    private const int MaxDatagramLength = 32 * 1024;

    private const int MaxDumpAttempts = 50;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(ReceiveBufferLength);
    private bool _disposed;
    private uint _sequence;
    private int _unreadFrom;
    private int _unreadTo;

    /// <summary>Asks for one item.</summary>
    /// <returns>Whether it exists; it does not if the kernel answers <paramref name="absentErrno"/>.</returns>
    public bool TryGet<T>(Span<byte> request, Operation operation, int absentErrno, MessageParser<T> parse, out T item)
    {
        var sequence = Send(request, operation);
        item = default!;
        while (true)
        {
            var message = Receive(sequence, sequence, operation);
            if (message.Type != Nlmsg.Error)
            {
                if (parse(message, out item))
                    return true;
                continue;
            }

            var (errno, text) = ReadError(message);
            if (errno != absentErrno)
                throw new NetlinkException(errno, operation.ToString(), text);
            return false;
        }
    }

    /// <summary>Asks for all items. A dump that changes interrupted or memory cut short is asked for again.</summary>
    public List<T> Dump<T>(Span<byte> request, Operation operation, MessageParser<T> parse, int absentErrno = 0)
    {
        var items = new List<T>();
        for (var attempt = 0; attempt < MaxDumpAttempts; attempt++)
        {
            items.Clear();
            if (TryDump(request, operation, parse, absentErrno, items))
                return items;
        }

        throw new NetlinkException(Errno.EBUSY, operation.ToString(), $"interrupted {MaxDumpAttempts} times by changes");
    }

    /// <summary>
    /// Sends requests in one datagram (in several if they are very many) and reads what came of them. The kernel carries all of
    /// them out in order, also those behind one that fails.
    /// </summary>
    /// <returns>How many requests had something to do: all but those that met their tolerated error.</returns>
    /// <exception cref="NetlinkException">For the first request that failed.</exception>
    public int Execute(Span<byte> messages, ReadOnlySpan<PendingRequest> requests, MessageHandler? handler = null)
    {
        var done = 0;
        NetlinkException? failure = null;
        var start = 0;
        for (var first = 0; first < requests.Length;)
        {
            var count = 1;
            while (first + count < requests.Length && requests[first + count].End - start <= MaxDatagramLength)
                count++;
            var end = requests[first + count - 1].End;
            done += ExecuteDatagram(messages[start..end], start, requests.Slice(first, count), handler, ref failure);
            start = end;
            first += count;
        }

        return failure is null ? done : throw failure;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        channel.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    /// <remarks>
    /// Only the last request asks for an acknowledgement; errors come without being asked for, in the order of the requests. So
    /// the answer to any number of requests that succeed is one datagram.
    /// </remarks>
    private int ExecuteDatagram(
        Span<byte> messages, int offset, ReadOnlySpan<PendingRequest> requests, MessageHandler? handler, ref NetlinkException? failure)
    {
        var start = 0;
        foreach (var request in requests)
        {
            ref var header = ref MemoryMarshal.AsRef<NlMsgHdr>(messages[start..]);
            header.Sequence = ++_sequence;
            start = request.End - offset;
            if (start == messages.Length)
                header.Flags |= NlmF.Ack;
        }

        var last = _sequence;
        var first = last - (uint)requests.Length + 1;
        SendDatagram(messages, requests[0].Operation);
        var done = requests.Length;
        while (true)
        {
            var message = Receive(first, last, requests[^1].Operation);
            if (message.Type != Nlmsg.Error)
            {
                handler?.Invoke(message);
                continue;
            }

            var (errno, text) = ReadError(message);
            var request = requests[(int)(message.Sequence - first)];
            if (errno != 0 && errno == request.ToleratedErrno)
                done--;
            else if (errno != 0)
                failure ??= new NetlinkException(errno, request.Operation.ToString(), text);
            if (message.Sequence == last)
                return done;
        }
    }

    private bool TryDump<T>(Span<byte> request, Operation operation, MessageParser<T> parse, int absentErrno, List<T> items)
    {
        var sequence = Send(request, operation);
        var interrupted = false;
        while (true)
        {
            if (!TryReceive(sequence, sequence, operation, out var message))
                return false;
            interrupted |= (message.Flags & NlmF.DumpInterrupted) != 0;
            if (message.Type is Nlmsg.Error or Nlmsg.Done)
            {
                var (errno, text) = message.Type == Nlmsg.Done && message.Payload.Length < sizeof(int) ? (0, null) : ReadError(message);
                if (errno != 0 && errno != absentErrno)
                    throw new NetlinkException(errno, operation.ToString(), text);
                return !interrupted;
            }

            if (parse(message, out var item))
                items.Add(item);
        }
    }

    private uint Send(Span<byte> request, Operation operation)
    {
        MemoryMarshal.AsRef<NlMsgHdr>(request).Sequence = ++_sequence;
        SendDatagram(request, operation);
        return _sequence;
    }

    private void SendDatagram(ReadOnlySpan<byte> datagram, Operation operation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _unreadFrom = _unreadTo = 0;
        var errno = channel.Send(datagram);
        if (errno != 0)
            throw new NetlinkException(errno, operation.ToString(), "the request was not sent");
    }

    private NetlinkMessage Receive(uint first, uint last, Operation operation)
    {
        if (!TryReceive(first, last, operation, out var message))
            throw new NetlinkException(Errno.ENOBUFS, operation.ToString(), "the answer was lost");
        return message;
    }

    /// <summary>
    /// Gets the next message of the present requests; false if the kernel dropped some. Others are left aside: answers to a dump
    /// that was given up, and echoes meant for a socket of another namespace that has our port number.
    /// </summary>
    private bool TryReceive(uint first, uint last, Operation operation, out NetlinkMessage message)
    {
        while (true)
        {
            var reader = new NetlinkReader(_buffer.AsSpan(_unreadFrom, _unreadTo - _unreadFrom));
            while (reader.TryRead(out message))
            {
                _unreadFrom = _unreadTo - reader.Remaining;
                if (message.Type == Nlmsg.Overrun)
                    return false;
                if (message.Sequence - first <= last - first && message.Type != Nlmsg.Noop)
                    return true;
            }

            var received = channel.Receive(_buffer);
            if (received == -Errno.ENOBUFS)
                return false;
            if (received < 0)
                throw new NetlinkException(-received, operation.ToString(), "no answer from the kernel");
            (_unreadFrom, _unreadTo) = (0, received);
        }
    }

    /// <summary>Reads <c>struct nlmsgerr</c> (or the number in NLMSG_DONE) and the extended acknowledgement behind it.</summary>
    private static (int Errno, string? Text) ReadError(in NetlinkMessage message)
    {
        var payload = message.Payload;
        if (!MemoryMarshal.TryRead<int>(payload, out var error) || error > 0 || error == int.MinValue)
            ThrowHelper.Malformed("error");
        if (error == 0 || (message.Flags & NlmF.AckAttributes) == 0)
            return (-error, null);
        payload = payload[sizeof(int)..];
        if (message.Type == Nlmsg.Error)
        {
            if (!MemoryMarshal.TryRead<NlMsgHdr>(payload, out var request))
                ThrowHelper.Malformed("error");
            var echoed = (message.Flags & NlmF.Capped) != 0 ? NlMsgHdr.Size : (request.Length + 3u) & ~3u;
            if (echoed > (uint)payload.Length)
                ThrowHelper.Malformed("error");
            payload = payload[(int)echoed..];
        }

        string? text = null;
        uint? missing = null;
        var attributes = new AttributeReader(payload);
        while (attributes.MoveNext())
        {
            if (attributes.Type == NlmsgErr.Message)
                text = attributes.Text;
            else if (attributes.Type == NlmsgErr.MissingType)
                missing = attributes.UInt32;
        }

        return (-error, text ?? (missing is null ? null : $"attribute {missing} is missing"));
    }
}
