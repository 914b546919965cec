using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Danm.Api;

namespace Danm.Kube.Watching;

/// <summary>The events of a watch's body, a line each.</summary>
internal static class WatchLines
{
    private const int MaxLine = 4 << 20;

    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="ApiException">A line is none of a watch.</exception>
    public static async IAsyncEnumerable<WatchEvent> ReadAsync(Stream body, string request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 16 * 1024));
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancellation).ConfigureAwait(false);
                var buffer = result.Buffer;
                while (buffer.PositionOf((byte)'\n') is { } end)
                {
                    yield return Parse(buffer.Slice(0, end), request);
                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }

                if (buffer.Length > MaxLine)
                    throw new ApiException(request, $"an event is larger than {MaxLine} bytes", null);
                if (result.IsCompleted)
                    yield break;
                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static WatchEvent Parse(ReadOnlySequence<byte> line, string request)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref json, ApiJson.Default.WatchEvent) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new ApiException(request, $"an event of the watch is not valid: {e.Message}", e);
        }
    }
}
