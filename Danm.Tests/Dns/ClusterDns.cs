using System.Net;
using System.Net.Sockets;

namespace Danm.Tests.Dns;

/// <summary>A cluster's name server: a <see cref="ClusterZone"/> that follows an API server and is asked over the network.</summary>
public sealed class ClusterDns : IAsyncDisposable
{
    private static readonly string[] Resources = ["/api/v1/namespaces", "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices"];

    private readonly CancellationTokenSource stopping = new();
    private readonly ClusterZone zone = new();
    private readonly Func<Func<DnsQuery, DnsReply>, DnsServer> serve;
    private DnsServer? server;
    private Task following = Task.CompletedTask;

    private ClusterDns(Func<Func<DnsQuery, DnsReply>, DnsServer> serve) => this.serve = serve;

    public IPEndPoint EndPoint => server!.EndPoint;

    /// <summary>On the loopback interface, at a port of its own; knows all that there was when this was called.</summary>
    /// <param name="api">With the API server as its base address, and the right to read.</param>
    public static Task<ClusterDns> StartAsync(HttpClient api) => new ClusterDns(DnsServer.Start).RunAsync(api);

    /// <param name="datagrams">Bound, perhaps in a network namespace.</param>
    /// <param name="connections">Listening at the same address.</param>
    public static Task<ClusterDns> StartAsync(HttpClient api, Socket datagrams, Socket? connections) =>
        new ClusterDns(answer => new DnsServer(datagrams, connections, answer)).RunAsync(api);

    /// <summary>The answer without the network.</summary>
    public DnsReply Ask(string name, DnsType type) => zone.Answer(new DnsQuery(0, false, DnsName.Parse(name), type));

    private async Task<ClusterDns> RunAsync(HttpClient api)
    {
        var feeds = Resources.Select(path => new ResourceFeed(api, path, zone.Set, zone.Remove)).ToArray();
        var versions = await Task.WhenAll(feeds.Select(f => f.ListAsync(stopping.Token)));
        following = Task.WhenAll(feeds.Zip(versions, (feed, version) => feed.FollowAsync(version, stopping.Token)));
        server = serve(zone.Answer);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        try
        {
            await following;
        }
        catch (OperationCanceledException)
        {
            // It was told to stop.
        }

        if (server is not null)
            await server.DisposeAsync();
        stopping.Dispose();
    }
}
