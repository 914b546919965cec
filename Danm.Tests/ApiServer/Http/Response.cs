using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Danm.Tests.ApiServer.Http;

/// <summary>Writes answers and counts their bytes.</summary>
public sealed class Response(HttpContext context, RequestRecord record)
{
    public async Task WriteAsync(int status, ReadOnlyMemory<byte> body, string contentType = "application/json")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        record.Status = status;
        record.ResponseBytes += body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    public Task WriteAsync(int status, JsonNode body, string contentType = "application/json") => WriteAsync(status, Json.ToUtf8(body), contentType);

    public void Warn(IEnumerable<string> warnings)
    {
        foreach (var header in WarningHeaders.Of(warnings))
            context.Response.Headers.Append("Warning", header);
    }

    public Task WriteAsync(StatusException refusal)
    {
        if (refusal.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString();
        return WriteAsync(refusal.Code, refusal.ToStatus());
    }

    /// <summary>A piece of a stream, at once on the wire.</summary>
    public async Task StreamAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellation)
    {
        record.ResponseBytes += piece.Length;
        await context.Response.BodyWriter.WriteAsync(piece, cancellation);
        await context.Response.BodyWriter.FlushAsync(cancellation);
    }

    public void BeginStream()
    {
        context.Response.StatusCode = record.Status = 200;
        context.Response.ContentType = "application/json";
    }
}
