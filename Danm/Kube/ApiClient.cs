using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danm.Api;
using k8s;
using k8s.Authentication;

namespace Danm.Kube;

/// <summary>
/// Get, list, create, update, patch and delete over one HTTP/2 connection, with our own source-generated types: the client library's models would
/// configure the JSON of the whole Kubernetes API (5 ms CPU of a CNI call). Its configuration and credentials serve us.
/// </summary>
/// <remarks>
/// A request is tried again on 429 (after what Retry-After says), 5xx and a broken connection. That is safe for the creates that we
/// send, since our names are derived: whoever gets AlreadyExists looks whose object it is. An update has the resourceVersion of what it
/// replaces: done twice, it conflicts with itself.
/// </remarks>
public sealed class ApiClient : IDisposable
{
    private const int MaxObjectSize = 4 << 20;
    private const int MaxListSize = 64 << 20;
    private const int Attempts = 4;
    private const string VersionPath = "/version";

    // The server's audit log, and the manager's name in managedFields.
    private static readonly ProductInfoHeaderValue UserAgent = new("danm", null);

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly MediaTypeHeaderValue MergePatch = new("application/merge-patch+json");
    private static readonly MediaTypeWithQualityHeaderValue AcceptJson = new("application/json");

    private static readonly MediaTypeWithQualityHeaderValue AcceptMetadata = MediaTypeWithQualityHeaderValue.Parse(
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

    private static readonly MediaTypeWithQualityHeaderValue AcceptMetadataList = MediaTypeWithQualityHeaderValue.Parse(
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

    private static readonly MediaTypeWithQualityHeaderValue AcceptTable = MediaTypeWithQualityHeaderValue.Parse(
        "application/json;as=Table;g=meta.k8s.io;v=v1");

    private readonly HttpMessageInvoker connection;
    private readonly ServiceClientCredentials? credentials;
    private readonly string server;
    private readonly TimeSpan patience;
    private readonly string? tlsServerName;

    /// <summary>Connects lazily: the first request opens the connection.</summary>
    /// <param name="configuration">Where the server is, and who we are.</param>
    /// <param name="patience">How long one attempt may take, the connection and its handshake included; then comes the next.</param>
    /// <exception cref="KubeConfigException">The client's certificate cannot be used.</exception>
    public ApiClient(KubernetesClientConfiguration configuration, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        this.patience = patience;
        connection = ApiConnection.Create(configuration, patience);
        credentials = Kubernetes.CreateCredentials(configuration);
        tlsServerName = configuration.TlsServerName;
        server = configuration.Host.TrimEnd('/');
    }

    /// <summary>Told of each request: its method, the server, and the answer's status, or null if there was none. For metrics.</summary>
    public Action<HttpMethod, string, HttpStatusCode?>? Answered { get; init; }

    /// <summary>Reads one object; null if there is none.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public Task<T?> TryGetAsync<T>(ResourcePath path, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class => GetAsync(path, type, AcceptJson, cancellation);

    /// <summary>Reads one object's metadata only, which spares the server and us the rest; null if there is none.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public Task<T?> TryGetMetadataAsync<T>(ResourcePath path, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class => GetAsync(path, type, AcceptMetadata, cancellation);

    /// <summary>Asks the server for its version, and looks at its clock: the Date of its answer (RFC 9110, whole seconds), null without one.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    internal async Task<(ServerVersion Version, DateTimeOffset? Clock)> GetVersionAsync(CancellationToken cancellation)
    {
        DateTimeOffset? clock = null;
        var body = await SendAsync(HttpMethod.Get, VersionPath, null, AcceptJson, MaxObjectSize, cancellation, seen: response => clock = response.Headers.Date).ConfigureAwait(false);
        try
        {
            return (JsonSerializer.Deserialize(body.Span, ClusterJson.Default.ServerVersion) ?? new(), clock);
        }
        catch (JsonException e)
        {
            throw new ApiException($"GET {VersionPath}", $"the answer is no version: {e.Message}", e);
        }
    }

    /// <summary>Lists one page. <paramref name="query"/> is ready-made: <c>limit=500&amp;fieldSelector=…</c>, values escaped.</summary>
    /// <exception cref="ApiException">Refused, or no answer; 410 when <c>continue</c> has expired.</exception>
    public Task<ObjectList<T>> ListAsync<T>(
        ResourcePath path, string query, JsonTypeInfo<ObjectList<T>> type, CancellationToken cancellation) => ListAsync(path, query, type, AcceptJson, cancellation);

    /// <summary>Lists one page of objects, their metadata only.</summary>
    /// <exception cref="ApiException">Refused, or no answer; 410 when <c>continue</c> has expired.</exception>
    public Task<ObjectList<T>> ListMetadataAsync<T>(
        ResourcePath path, string query, JsonTypeInfo<ObjectList<T>> type, CancellationToken cancellation) => ListAsync(path, query, type, AcceptMetadataList, cancellation);

    /// <summary>Lists one page as the server writes it; it lies in <paramref name="buffer"/> until that takes the next.</summary>
    /// <exception cref="ApiException">Refused, or no answer; 410 when <c>continue</c> has expired.</exception>
    internal Task<ReadOnlyMemory<byte>> ListBytesAsync(
        ResourcePath path, string query, bool metadataOnly, PageBuffer buffer, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, $"{path}?{query}", null, metadataOnly ? AcceptMetadataList : AcceptJson, MaxListSize, cancellation, buffer);

    /// <summary>Lists one page of objects' names, in the form that is shortest on the wire.</summary>
    /// <returns>The token of the next page; null: this was the last one.</returns>
    /// <exception cref="ApiException">Refused, or no answer; 410 when <c>continue</c> has expired. Some names may have been shown.</exception>
    internal async Task<string?> ListNamesAsync(ResourcePath path, string query, NameVisitor visit, CancellationToken cancellation)
    {
        var body = await SendAsync(HttpMethod.Get, $"{path}?{query}&{NameTable.Query}", null, AcceptTable, MaxListSize, cancellation).ConfigureAwait(false);
        try
        {
            return NameTable.Read(body.Span, visit);
        }
        catch (JsonException e)
        {
            throw new ApiException($"{HttpMethod.Get} {path}", $"the answer is no valid table: {e.Message}", e);
        }
    }

    /// <summary>
    /// Opens a watch: once, without a second attempt, and within <c>patience</c>; the answer's body then comes as the server has news.
    /// </summary>
    /// <exception cref="ApiException">Refused (410 when the resourceVersion is too old), or no answer.</exception>
    internal async Task<HttpResponseMessage> OpenWatchAsync(ResourcePath path, string query, CancellationToken cancellation, bool metadataOnly = false)
    {
        var request = $"{path}?{query}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        try
        {
            var response = await SendOnceAsync(HttpMethod.Get, request, null, metadataOnly ? AcceptMetadata : AcceptJson, limit.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
            {
                var body = await ResponseBody.ReadAsync($"GET {request}", response, MaxObjectSize, limit.Token).ConfigureAwait(false);
                throw new ApiException($"GET {request}", response.StatusCode, ReadStatus(body));
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new ApiException($"GET {server}{request}", Cause(e), e);
        }
    }

    /// <summary>Creates an object.</summary>
    /// <exception cref="ApiException">Refused (<see cref="ApiException.IsAlreadyExists"/> among others), or no answer.</exception>
    public async Task<Created<T>> CreateAsync<T>(ResourcePath path, T value, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        var (made, exists) = await TryCreateAsync(path, value, type, cancellation).ConfigureAwait(false);
        return exists is null ? made : throw exists;
    }

    /// <summary>
    /// Creates an object unless there is one of its name: the refusal then comes as a value. Where names are raced for, it is as frequent
    /// as success, and thrown it would cost more than the request.
    /// </summary>
    /// <exception cref="ApiException">Refused otherwise, or no answer.</exception>
    public async Task<(Created<T> Made, ApiException? Exists)> TryCreateAsync<T>(
        ResourcePath path, T value, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var answer = await AskAsync(HttpMethod.Post, path.ToString(), content, AcceptJson, MaxObjectSize, cancellation).ConfigureAwait(false);
        return answer.Failure switch
        {
            null => (new Created<T>(Read(HttpMethod.Post, path, answer.Body, type), answer.Unanswered > 0), null),
            { IsAlreadyExists: true } exists => (default, exists),
            var failure => throw failure,
        };
    }

    /// <summary>
    /// Replaces an object as a whole (PUT): what <typeparamref name="T"/> does not know of it is lost. With
    /// <c>metadata.resourceVersion</c> only if nobody has changed it since.
    /// </summary>
    /// <returns>As the server stored it.</returns>
    /// <exception cref="ApiException">
    /// Refused (<see cref="ApiException.IsConflict"/> among others: after <see cref="ApiException.IsAfterRetry"/> maybe with our own earlier
    /// attempt), or no answer.
    /// </exception>
    public async Task<T> UpdateAsync<T>(ResourcePath path, T value, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var body = await SendAsync(HttpMethod.Put, path.ToString(), content, AcceptJson, MaxObjectSize, cancellation).ConfigureAwait(false);
        return Read(HttpMethod.Put, path, body, type);
    }

    /// <summary>Changes the members of an object that <paramref name="patch"/> has (JSON merge patch, RFC 7386).</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task PatchAsync<T>(ResourcePath path, T patch, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(patch, type);
        await SendAsync(HttpMethod.Patch, path.ToString(), content, AcceptMetadata, MaxObjectSize, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes an object, with <paramref name="uid"/> only that very one. False if there was none, or another one of that name.
    /// </summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public Task<bool> DeleteAsync(ResourcePath path, string? uid, CancellationToken cancellation) =>
        DeleteIfAsync(path, new Preconditions { Uid = uid }, cancellation);

    /// <summary>Deletes an object if it is as <paramref name="expected"/> says. False if it is not, or is gone.</summary>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<bool> DeleteIfAsync(ResourcePath path, Preconditions expected, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(expected);
        var isConditional = expected.Uid is not null || expected.ResourceVersion is not null;
        var options = new DeleteOptions { Preconditions = isConditional ? expected : null };
        var content = JsonSerializer.SerializeToUtf8Bytes(options, ApiJson.Default.DeleteOptions);
        try
        {
            await SendAsync(HttpMethod.Delete, path.ToString(), content, AcceptJson, MaxObjectSize, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return false;
        }
        catch (ApiException e) when (isConditional && e.IsConflict)
        {
            // Either it is not what was expected, or the server had its own reasons: only a look can tell.
            var present = await TryGetMetadataAsync(path, ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false);
            if (present is not null && (expected.Uid ?? present.Metadata.Uid) == present.Metadata.Uid
                && (expected.ResourceVersion ?? present.Metadata.ResourceVersion) == present.Metadata.ResourceVersion)
                throw;
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private async Task<ObjectList<T>> ListAsync<T>(
        ResourcePath path, string query, JsonTypeInfo<ObjectList<T>> type, MediaTypeWithQualityHeaderValue accept, CancellationToken cancellation)
    {
        var body = await SendAsync(HttpMethod.Get, $"{path}?{query}", null, accept, MaxListSize, cancellation).ConfigureAwait(false);
        return Read(HttpMethod.Get, path, body, type);
    }

    private async Task<T?> GetAsync<T>(
        ResourcePath path, JsonTypeInfo<T> type, MediaTypeWithQualityHeaderValue accept, CancellationToken cancellation)
        where T : class
    {
        try
        {
            var body = await SendAsync(HttpMethod.Get, path.ToString(), null, accept, MaxObjectSize, cancellation).ConfigureAwait(false);
            return Read(HttpMethod.Get, path, body, type);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    private async Task<ReadOnlyMemory<byte>> SendAsync(
        HttpMethod method, string path, byte[]? content, MediaTypeWithQualityHeaderValue accept, int maxBody, CancellationToken cancellation, PageBuffer? buffer = null, Action<HttpResponseMessage>? seen = null)
    {
        var answer = await AskAsync(method, path, content, accept, maxBody, cancellation, buffer, seen).ConfigureAwait(false);
        return answer.Failure is null ? answer.Body : throw answer.Failure;
    }

    /// <summary>The server's last word, be it a refusal.</summary>
    /// <exception cref="ApiException">No answer.</exception>
    private async Task<Answer> AskAsync(
        HttpMethod method, string path, byte[]? content, MediaTypeWithQualityHeaderValue accept, int maxBody, CancellationToken cancellation, PageBuffer? buffer = null, Action<HttpResponseMessage>? seen = null)
    {
        var unanswered = 0;
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan pause;
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                limit.CancelAfter(patience);
                using var response = await SendOnceAsync(method, path, content, accept, limit.Token).ConfigureAwait(false);
                seen?.Invoke(response);
                var body = await ResponseBody.ReadAsync($"{method} {path}", response, maxBody, limit.Token, buffer).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                    return new Answer(unanswered, body, null);
                var failure = new ApiException($"{method} {path}", response.StatusCode, ReadStatus(body)) { Unanswered = unanswered };
                pause = RetryAfter(response, failure) ?? Backoff(attempt);
                if (!failure.IsTransient || attempt == Attempts)
                    return new Answer(unanswered, body, failure);
                if (failure.Code != HttpStatusCode.TooManyRequests)
                    unanswered++;
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                if (attempt == Attempts || e is { InnerException: AuthenticationException })
                    throw new ApiException($"{method} {server}{path}", Cause(e), e);
                unanswered++;
                pause = Backoff(attempt);
            }

            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(
        HttpMethod method, string path, byte[]? content, MediaTypeWithQualityHeaderValue accept, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(server + path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.Accept.Add(accept);
        request.Headers.UserAgent.Add(UserAgent);
        // The connection takes the name that it asks for and checks from here.
        if (!string.IsNullOrEmpty(tlsServerName))
            request.Headers.Host = tlsServerName;
        if (content is not null)
            request.Content = new ByteArrayContent(content) { Headers = { ContentType = method == HttpMethod.Patch ? MergePatch : Json } };
        await AuthorizeAsync(request, cancellation).ConfigureAwait(false);
        HttpResponseMessage? response = null;
        try
        {
            return response = await connection.SendAsync(request, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Answered?.Invoke(method, request.RequestUri!.Authority, response?.StatusCode);
        }
    }

    private async Task AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            if (credentials is not null)
                await credentials.ProcessHttpRequestAsync(request, cancellation).ConfigureAwait(false);
        }
        catch (KubeConfigException e)
        {
            throw new ApiException($"{request.Method} {request.RequestUri!.AbsolutePath}", e.Message, e);
        }
    }

    private static T Read<T>(HttpMethod method, ResourcePath path, ReadOnlyMemory<byte> body, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body.Span, type)
                ?? throw new ApiException($"{method} {path}", "the answer is null", null);
        }
        catch (JsonException e)
        {
            throw new ApiException($"{method} {path}", $"the answer is no valid {typeof(T).Name}: {e.Message}", e);
        }
    }

    private static Status? ReadStatus(ReadOnlyMemory<byte> body)
    {
        try
        {
            return body.IsEmpty ? null : JsonSerializer.Deserialize(body.Span, ApiJson.Default.Status);
        }
        catch (JsonException)
        {
            return null; // a proxy's page: the HTTP status says enough
        }
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response, ApiException failure)
    {
        var wait = response.Headers.RetryAfter?.Delta
            ?? (failure.Status?.Details?.RetryAfterSeconds is > 0 and var s ? TimeSpan.FromSeconds(s) : null);
        return wait is { } w ? TimeSpan.FromMilliseconds(Math.Clamp(w.TotalMilliseconds, 50, 5000)) : null;
    }

    // Unanswered: attempts before that got no answer, or one that does not tell whether they took effect.
    private readonly record struct Answer(int Unanswered, ReadOnlyMemory<byte> Body, ApiException? Failure);

    // Jitter keeps the processes of one node, started together, from coming back together.
    private static TimeSpan Backoff(int attempt) => TimeSpan.FromMilliseconds((50 << (2 * (attempt - 1))) * (0.5 + Random.Shared.NextDouble()));

    private static string Cause(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e.Message;
    }
}
