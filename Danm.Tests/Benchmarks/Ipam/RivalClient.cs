using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>The requests of the other ways: plain HTTP/2, typed JSON, each caller with a connection of its own.</summary>
internal sealed class RivalClient(HttpClient http) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public async Task<T> GetAsync<T>(string path, CancellationToken cancellation)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellation);
        response.EnsureSuccessStatusCode();
        return await ReadAsync<T>(response, cancellation);
    }

    public async Task CreateAsync<T>(string path, T value, CancellationToken cancellation)
    {
        using var response = await http.PostAsync(path, Content(value, "application/json"), cancellation);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Null if somebody else has changed the object meanwhile.</summary>
    public async Task<T?> PutAsync<T>(string path, T value, CancellationToken cancellation)
        where T : class
    {
        using var response = await http.PutAsync(path, Content(value, "application/json"), cancellation);
        if (response.StatusCode == HttpStatusCode.Conflict)
            return null;
        response.EnsureSuccessStatusCode();
        return await ReadAsync<T>(response, cancellation);
    }

    /// <summary>False if a test of the patch did not hold.</summary>
    public async Task<bool> PatchAsync(string path, IReadOnlyList<PatchOperation> patch, CancellationToken cancellation)
    {
        using var response = await http.PatchAsync(path, Content(patch, "application/json-patch+json"), cancellation);
        if (response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
            return false;
        response.EnsureSuccessStatusCode();
        await response.Content.CopyToAsync(Stream.Null, cancellation);
        return true;
    }

    public void Dispose() => http.Dispose();

    private static ByteArrayContent Content<T>(T value, string type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, Json)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellation) =>
        await JsonSerializer.DeserializeAsync<T>(await response.Content.ReadAsStreamAsync(cancellation), Json, cancellation)
            ?? throw new InvalidOperationException("the answer is null");
}

internal sealed record PatchOperation(string Op, string Path, object Value);

/// <summary>An object of any kind.</summary>
internal sealed record Stored<TSpec>(string ApiVersion, string Kind, StoredMeta Metadata, TSpec Spec);

internal sealed record StoredMeta(string Name, string Namespace, string? ResourceVersion = null);
