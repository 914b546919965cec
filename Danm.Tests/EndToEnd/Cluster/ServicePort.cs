using System.Net;
using System.Net.Sockets;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd.Cluster;

/// <summary>A port of this machine's loopback that leads to one of the node's: how an API server outside reaches a webhook inside.</summary>
internal sealed class ServicePort : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;

    public ServicePort(string network, IPEndPoint target)
    {
        listener.Start();
        accepting = AcceptAsync(network, target);
    }

    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndpoint;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        stopping.Dispose();
    }

    private async Task AcceptAsync(string network, IPEndPoint target)
    {
        try
        {
            while (true)
                _ = CarryAsync(await listener.AcceptSocketAsync(stopping.Token), network, target);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task CarryAsync(Socket from, string network, IPEndPoint target)
    {
        try
        {
            using (from)
            using (var to = NamespaceSocket.OpenTcp(network, AddressFamily.InterNetwork))
            {
                await to.ConnectAsync(target, stopping.Token);
                await using var near = new NetworkStream(from);
                await using var far = new NetworkStream(to);
                await Task.WhenAny(near.CopyToAsync(far, stopping.Token), far.CopyToAsync(near, stopping.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
        {
            // Either side has hung up.
        }
    }
}
