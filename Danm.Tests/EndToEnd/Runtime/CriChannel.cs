using System.Net.Sockets;
using Danm.Tests.EndToEnd.Runtime.Cri;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>gRPC over a runtime's Unix socket, which may go away and come back.</summary>
internal sealed class CriChannel : IDisposable
{
    private readonly string socketPath;
    private readonly GrpcChannel channel;

    public CriChannel(string socketPath)
    {
        this.socketPath = socketPath;
        channel = GrpcChannel.ForAddress("http://runtime", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = ConnectAsync },
            DisposeHttpClient = true,
        });
        var bounded = channel.Intercept(new Deadline(TimeSpan.FromMinutes(2)));
        Runtime = new RuntimeService.RuntimeServiceClient(bounded);
        Images = new ImageService.ImageServiceClient(bounded);
    }

    public RuntimeService.RuntimeServiceClient Runtime { get; }

    public ImageService.ImageServiceClient Images { get; }

    public void Dispose() => channel.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>No call outlives kubelet's own patience.</summary>
    private sealed class Deadline(TimeSpan patience) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
            continuation(request, new(context.Method, context.Host, context.Options.WithDeadline(DateTime.UtcNow + patience)));
    }
}
