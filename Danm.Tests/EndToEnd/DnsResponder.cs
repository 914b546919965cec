using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// A name server of one IPv4 address (RFC 1035): its name has that address, and nothing of any other type; all other names do not exist.
/// </summary>
internal sealed class DnsResponder : IAsyncDisposable
{
    private const int HeaderLength = 12;
    private const ushort TypeA = 1, ClassIn = 1;
    private const byte NameError = 3;

    private readonly Socket socket;
    private readonly string name;
    private readonly IPAddress address;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task serving;

    /// <param name="socket">Bound; the responder closes it.</param>
    /// <param name="name">Without a dot at its end.</param>
    /// <param name="address">Its address.</param>
    public DnsResponder(Socket socket, string name, IPAddress address)
    {
        (this.socket, this.name, this.address) = (socket, name, address);
        serving = ServeAsync();
    }

    /// <summary>How many questions were about the name.</summary>
    public int Asked { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        socket.Dispose();
        stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), stopping.Token);
                if (received.ReceivedBytes > HeaderLength)
                    await socket.SendToAsync(Answer(buffer.AsSpan(0, received.ReceivedBytes)), SocketFlags.None, received.RemoteEndPoint);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    // Section 4.1: the question comes back as it was, followed by the resource record, whose name points to the question's.
    private byte[] Answer(ReadOnlySpan<byte> query)
    {
        var end = HeaderLength;
        var labels = new List<string>();
        for (; query[end] != 0; end += 1 + query[end])
            labels.Add(Encoding.ASCII.GetString(query.Slice(end + 1, query[end])));
        var isOurs = string.Join('.', labels).Equals(name, StringComparison.OrdinalIgnoreCase);
        var hasAddress = isOurs && BinaryPrimitives.ReadUInt16BigEndian(query[(end + 1)..]) == TypeA;
        if (isOurs)
            Asked++;

        byte[] record = hasAddress ? [0xC0, HeaderLength, 0, (byte)TypeA, 0, (byte)ClassIn, 0, 0, 0, 60, 0, 4, .. address.GetAddressBytes()] : [];
        byte[] header = [query[0], query[1], 0x84 /* an answer, authoritative */, isOurs ? (byte)0 : NameError, 0, 1, 0, hasAddress ? (byte)1 : (byte)0, 0, 0, 0, 0];
        return [.. header, .. query[HeaderLength..(end + 5)], .. record];
    }
}
