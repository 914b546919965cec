using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.Kube;

/// <summary>What only claims to be an API server: answers each request with whatever bytes a test wants, over plain HTTP/1.1.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly List<string> heads = [];
    private readonly Func<NetworkStream, CancellationToken, Task> answer;
    private readonly Task accepting;

    public RawServer(Func<NetworkStream, CancellationToken, Task> answer)
    {
        this.answer = answer;
        listener.Start();
        accepting = AcceptAsync();
    }

    public RawServer(string answer)
        : this((stream, cancellation) => stream.WriteAsync(Encoding.UTF8.GetBytes(answer), cancellation).AsTask())
    {
    }

    public string Url => $"http://{listener.LocalEndpoint}";

    public string Kubeconfig => new JsonObject
    {
        ["clusters"] = new JsonArray(new JsonObject { ["name"] = "c", ["cluster"] = new JsonObject { ["server"] = Url } }),
        ["users"] = new JsonArray(new JsonObject { ["name"] = "u", ["user"] = new JsonObject { ["token"] = "secret" } }),
        ["contexts"] = new JsonArray(new JsonObject { ["name"] = "x", ["context"] = new JsonObject { ["cluster"] = "c", ["user"] = "u" } }),
        ["current-context"] = "x",
    }.ToJsonString();

    /// <summary>Request lines and headers, one text a request.</summary>
    public string[] Heads
    {
        get
        {
            lock (heads)
                return [.. heads];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
        }
        finally
        {
            await Task.WhenAll(connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        using (connection)
        {
            var stream = connection.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, false, 1, leaveOpen: true);
            var head = new StringBuilder();
            while (await reader.ReadLineAsync(stopping.Token) is { Length: > 0 } line)
                head.AppendLine(line);
            if (head.Length == 0)
                return;
            lock (heads)
                heads.Add(head.ToString());
            await answer(stream, stopping.Token);
        }
    }
}
