using System.Net;
using System.Net.Sockets;
using Danm.Tests.Dns;

namespace Danm.Tests.EndToEnd;

/// <summary>A name server of one address: its name has that one, and nothing of any other type; all other names do not exist.</summary>
internal sealed class DnsResponder : IAsyncDisposable
{
    private const uint Lifetime = 60; // seconds

    private readonly DnsServer server;
    private int asked;

    /// <param name="socket">Bound; the responder closes it.</param>
    /// <param name="name">Without a dot at its end.</param>
    /// <param name="address">Its address.</param>
    public DnsResponder(Socket socket, string name, IPAddress address)
    {
        var record = new AddressRecord(DnsName.Parse(name), address, Lifetime);
        server = new DnsServer(socket, null, query =>
        {
            if (!query.Name.Equals(record.Name))
                return DnsReply.Of(DnsCode.NoSuchName);
            Interlocked.Increment(ref asked);
            return query.Type == record.Type ? DnsReply.Of(record) : DnsReply.Of(DnsCode.NoError);
        });
    }

    /// <summary>How many questions were about the name.</summary>
    public int Asked => Volatile.Read(ref asked);

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
