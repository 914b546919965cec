using System.Buffers;

namespace Danm.Netlink;

/// <summary>
/// Changes that go to the kernel in one system call and are acknowledged in another. The kernel carries all of them out in order,
/// <em>also those behind one that fails</em>: whoever must undo, undoes all. Not for several threads.
/// </summary>
/// <example><code>
/// using var batch = socket.NewBatch();
/// batch.AddAddress(eth0, CidrAddress.Parse("10.0.0.5/24"));
/// batch.SetLink(eth0, new LinkChange { Up = true });
/// batch.AddRoute(new Route(CidrAddress.Parse("10.1.0.0/16")) { Gateway = IPAddress.Parse("10.0.0.1"), LinkIndex = eth0 });
/// batch.Send();
/// </code></example>
public sealed partial class RouteBatch : IDisposable
{
    // More than any one request takes: that of a VxLAN, or of an alias, is under 600 bytes.
    private const int MaxRequestLength = 1024;

    private readonly NetlinkConversation _conversation;
    private readonly List<PendingRequest> _requests = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(2 * MaxRequestLength);
    private int _length;

    internal RouteBatch(NetlinkConversation conversation) => _conversation = conversation;

    /// <summary>The number of requests not sent yet.</summary>
    public int Count => _requests.Count;

    /// <summary>Sends the requests, reads their answers and empties the batch, whatever comes.</summary>
    /// <returns>How many requests changed something: all but the deletions of what was not there.</returns>
    /// <exception cref="NetlinkException">For the first request that failed; it names it.</exception>
    public int Send() => Send(handler: null);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _requests.Clear();
        _length = 0;
    }

    internal int Send(MessageHandler? handler)
    {
        try
        {
            return _conversation.Execute(
                _buffer.AsSpan(0, _length), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_requests), handler);
        }
        finally
        {
            _requests.Clear();
            _length = 0;
        }
    }

    private NetlinkWriter Begin<THeader>(ushort type, ushort flags, in THeader header) where THeader : unmanaged
    {
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        if (_buffer.Length - _length < MaxRequestLength)
        {
            var larger = ArrayPool<byte>.Shared.Rent(2 * _buffer.Length);
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        var writer = new NetlinkWriter(_buffer.AsSpan(_length));
        writer.BeginMessage(type, flags, header);
        return writer;
    }

    private void End(in NetlinkWriter writer, string verb, object subject, int toleratedErrno = 0)
    {
        writer.EndMessage();
        _length += writer.Written.Length;
        _requests.Add(new PendingRequest(_length, new Operation(verb, subject), toleratedErrno));
    }
}
