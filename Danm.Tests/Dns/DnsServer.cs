using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Danm.Tests.Dns;

/// <summary>Takes questions over UDP, and over TCP those whose reply is too long for it (RFC 1035, section 4.2).</summary>
public sealed class DnsServer : IAsyncDisposable
{
    private const int PlainLimit = 512, LongestMessage = ushort.MaxValue;

    private readonly Socket datagrams;
    private readonly Socket? connections;
    private readonly Func<DnsQuery, DnsReply> answer;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task serving;

    /// <param name="datagrams">Bound; the server closes it.</param>
    /// <param name="connections">Listening at the same address; the server closes it. Null: there is no TCP.</param>
    public DnsServer(Socket datagrams, Socket? connections, Func<DnsQuery, DnsReply> answer)
    {
        (this.datagrams, this.connections, this.answer) = (datagrams, connections, answer);
        serving = Task.WhenAll(Serve(TakeDatagramsAsync()), Serve(TakeConnectionsAsync()));
    }

    public IPEndPoint EndPoint => (IPEndPoint)datagrams.LocalEndPoint!;

    /// <summary>At a port of its own on the loopback interface.</summary>
    public static DnsServer Start(Func<DnsQuery, DnsReply> answer)
    {
        var connections = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        connections.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        connections.Listen();
        var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(connections.LocalEndPoint!);
        return new DnsServer(datagrams, connections, answer);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        datagrams.Dispose();
        connections?.Dispose();
        stopping.Dispose();
    }

    private async Task TakeDatagramsAsync()
    {
        var buffer = new byte[LongestMessage];
        var anybody = new IPEndPoint(datagrams.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (true)
        {
            var received = await datagrams.ReceiveFromAsync(buffer, SocketFlags.None, anybody, stopping.Token);
            if (Reply(buffer.AsSpan(0, received.ReceivedBytes), q => Math.Max(q.PayloadLimit ?? 0, PlainLimit)) is { } reply)
                await datagrams.SendToAsync(reply, received.RemoteEndPoint);
        }
    }

    private async Task TakeConnectionsAsync()
    {
        var open = new List<Task>();
        try
        {
            while (connections is not null)
            {
                open.Add(Serve(ConverseAsync(await connections.AcceptAsync(stopping.Token))));
                open.RemoveAll(t => t.IsCompleted);
            }
        }
        finally
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ConverseAsync(Socket connection)
    {
        await using var stream = new NetworkStream(connection, ownsSocket: true);
        var length = new byte[2];
        while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, stopping.Token) == 2)
        {
            var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(message, stopping.Token);
            if (Reply(message, _ => LongestMessage) is not { } reply)
                return;
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)reply.Length);
            await stream.WriteAsync((byte[])[.. length, .. reply], stopping.Token);
        }
    }

    /// <summary>Ends with the server, or with a client that has gone.</summary>
    private static async Task Serve(Task work)
    {
        try
        {
            await work;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // There is nobody left to talk to.
        }
    }

    private byte[]? Reply(ReadOnlySpan<byte> message, Func<DnsQuery, int> limit)
    {
        try
        {
            return DnsQuery.Read(message) is { } query ? answer(query).Write(query, limit(query)) : null;
        }
        catch (FormatException)
        {
            // The header alone: the question may be what is wrong with it.
            return [message[0], message[1], 0x80, (byte)((message[2] & 0x78) == 0 ? DnsCode.FormatError : DnsCode.NotImplemented), 0, 0, 0, 0, 0, 0, 0, 0];
        }
    }
}
