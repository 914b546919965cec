using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.ApiServer.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Danm.Tests.ApiServer;

/// <summary>
/// A Kubernetes API server in this process, in memory: strict where a real one is, and loud (501) about what it lacks:
/// server-side apply, finalizers, several versions of a resource, protobuf, validating webhooks. Mutating webhooks and the
/// validating policies are asked about every write that comes over HTTP. Pods go at once when deleted, and with an owner what it owned.
/// </summary>
public sealed class EmbeddedApiServer : IAsyncDisposable
{
    internal const string Administrator = "admin";

    private static readonly string[] AlwaysNamed = ["127.0.0.1", "::1", "localhost", "kubernetes.default.svc"];

    private readonly CancellationTokenSource stopping = new();
    private readonly ResourceApi api;
    private readonly MutatingAdmission webhooks;
    private readonly PolicyAdmission policies;
    private readonly ResourceEndpoint resources;
    private readonly Authenticator authenticator;
    private readonly Authorizer? authorizer;
    private readonly TokenRequests tokenRequests;
    private readonly AccessReviews accessReviews;
    private WebApplication? host;

    private EmbeddedApiServer(ApiServerOptions options)
    {
        AdminToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
        authenticator = new Authenticator(CertificateAuthority, options.Tokens.Append(new(AdminToken, Administrator)));
        api = new ResourceApi(new ObjectStore(), new ResourceCatalog(), options.CollectsGarbage);
        authorizer = options.EnforcesRbac ? new Authorizer(api) : null;
        webhooks = new MutatingAdmission(api.Store, options.Services);
        policies = new PolicyAdmission(api.Store);
        resources = new ResourceEndpoint(api, webhooks, policies, authorizer is null ? null : new OwnerReferencePermissions(authorizer, api.Catalog), options.BookmarkInterval);
        Store = new ApiStore(api);
        accessReviews = new AccessReviews(authorizer);
        tokenRequests = new TokenRequests(Store, authenticator.Tokens, options.LongestTokenLife);
    }

    public CertificateAuthority CertificateAuthority { get; } = new();

    /// <summary>The token of user <c>admin</c>, who may do everything.</summary>
    public string AdminToken { get; }

    /// <summary>User by bearer token; entries may come and go.</summary>
    public IDictionary<string, string> Tokens => authenticator.Tokens;

    public Uri Url { get; private set; } = new("https://127.0.0.1");

    public ApiStore Store { get; }

    public FaultInjector Faults { get; } = new();

    public RequestLog Requests { get; } = new();

    /// <summary>The rights that requests took so far, each once; none where access is not controlled.</summary>
    public IReadOnlyCollection<AccessQuestion> RightsAsked => authorizer?.Asked ?? [];

    public static async Task<EmbeddedApiServer> StartAsync(ApiServerOptions? options = null)
    {
        options ??= new ApiServerOptions();
        var server = new EmbeddedApiServer(options);
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
            server.Store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } });
        foreach (var document in options.Manifests.SelectMany(Manifests.Read).OrderBy(d => d["kind"].String() == "CustomResourceDefinition" ? 0 : 1))
            server.Store.Create(document);
        await server.ListenAsync(options);
        return server;
    }

    /// <summary>The text of a kubeconfig, as JSON.</summary>
    public string Kubeconfig(KubeconfigOptions? options = null)
    {
        options ??= new KubeconfigOptions();
        if (options is { Token: null, TokenFile: null, ClientCertificate: null })
            options = options with { Token = AdminToken };
        var url = new UriBuilder("https", options.Host, options.Port ?? Url.Port).Uri;
        return Security.Kubeconfig.Write(url, options.CertificateAuthorityPem ?? CertificateAuthority.Pem, options);
    }

    private async Task ListenAsync(ApiServerOptions options)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        var certificate = CertificateAuthority.IssueServer([.. AlwaysNamed, .. options.Hosts]);
        var https = new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate,
            ClientCertificateMode = ClientCertificateMode.AllowCertificate,
            // Whether it is good is for the authenticator to say: a bad one is a 401, not a broken handshake.
            ClientCertificateValidation = (_, _, _) => true,
        };
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.UTF8; // warnings are any text
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 250;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            void Configure(ListenOptions listen)
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(https);
            }
            if (options.Port is { } port)
                kestrel.Listen(IPAddress.Loopback, port, Configure);
            foreach (var handle in options.ListenHandles)
                kestrel.ListenHandle((ulong)handle, Configure);
        });
        host = builder.Build();
        host.Run(HandleAsync);
        await host.StartAsync();
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        if (addresses.FirstOrDefault(a => a.Contains("127.0.0.1", StringComparison.Ordinal)) is { } address)
            Url = new Uri(address);
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var path = RequestPath.Parse(request.Path.Value ?? "/");
        var record = new RequestRecord
        {
            Verb = ResourceEndpoint.Verb(request, path),
            Path = request.Path.Value ?? "/",
            Query = request.QueryString.Value ?? "",
            Resource = path?.Plural ?? "",
            Namespace = path?.Namespace,
            Name = path?.Name,
            Subresource = path?.Subresource,
            Started = Requests.Now,
            Concurrency = Requests.Enter(),
            Connection = context.Connection.Id,
        };
        Requests.Add(record);
        var response = new Response(context, record);
        try
        {
            await ServeAsync(context, path, record, response);
        }
        catch (StatusException refusal) when (!context.Response.HasStarted)
        {
            await response.WriteAsync(refusal);
        }
        catch (OperationCanceledException)
        {
            // The client went away.
        }
        catch (Exception e) when (e is not StatusException && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            await response.WriteAsync(new StatusException(500, "InternalError", $"Internal error occurred: {e}"));
        }
        finally
        {
            Requests.Leave(record);
        }
    }

    private async Task ServeAsync(HttpContext context, RequestPath? path, RequestRecord record, Response response)
    {
        var place = record.Path;
        if (place is "/healthz" or "/livez" or "/readyz")
        {
            await response.WriteAsync(200, "ok"u8.ToArray(), "text/plain; charset=utf-8");
            return;
        }
        if (Faults.Next(record) is { } fault && await HappensAsync(fault, context, path, record, response))
            return;
        await WorkAsync(context, path, record, response);
    }

    private async Task WorkAsync(HttpContext context, RequestPath? path, RequestRecord record, Response response)
    {
        var user = Impersonation.Apply(authenticator.Authenticate(context), context.Request.Headers, authorizer);
        record.User = user.Name;
        if (path is not null && !AccessReviews.Is(path))
            authorizer?.Require(user, path, record.Verb);
        if (path is { Group: "", Plural: "serviceaccounts", Namespace: { } ns, Name: { } account, Subresource: "token" } && context.Request.Method == "POST")
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var admission = new RequestAdmission(webhooks, policies, null, user, () => ResourceEndpoint.Told(record.Verb, context.Request.Query, []), context.RequestAborted);
            await response.WriteAsync(201, await tokenRequests.CreateAsync(ns, account, Json.ParseObject(body.ToArray()), admission));
        }
        else if (AccessReviews.Is(path) && context.Request.Method == "POST")
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            await response.WriteAsync(201, accessReviews.Create(user, path!, Json.ParseObject(body.ToArray())));
        }
        else if (path is not null)
            await resources.HandleAsync(context, user, path, record.Verb, record, response, stopping.Token);
        else if (record.Path == "/version")
            await response.WriteAsync(200, Discovery.Version);
        else if (record.Path.StartsWith("/openapi/v3", StringComparison.Ordinal) && OpenApi.Answer(record.Path, api.Catalog) is { } document)
            await response.WriteAsync(200, document);
        else if (Discovery.Answer(record.Path, context.Request.Headers.Accept.ToString(), api.Catalog) is { } discovery)
            await response.WriteAsync(200, discovery.Body, discovery.ContentType);
        else
            throw StatusException.NoSuchResource();
    }

    /// <summary>True if the fault was the whole answer.</summary>
    private async Task<bool> HappensAsync(Fault fault, HttpContext context, RequestPath? path, RequestRecord record, Response response)
    {
        if (fault.Delay > TimeSpan.Zero)
            await Task.Delay(fault.Delay, context.RequestAborted);
        if (fault.Hold is { } hold)
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            body.Position = 0;
            context.Request.Body = body;
            context.RequestAborted = CancellationToken.None;
            await hold();
        }
        if (fault.Answer is { } answer)
            throw answer;
        if (fault.Body is { } bytes)
        {
            await response.WriteAsync(200, bytes);
            return true;
        }
        var dropAfter = fault.DropAfter || fault.Committed is not null;
        if (dropAfter)
        {
            var shown = context.Response.Body;
            using var swallowed = new MemoryStream();
            context.Response.Body = swallowed;
            try
            {
                await WorkAsync(context, path, record, response);
            }
            catch (StatusException)
            {
                // A refusal is lost like any other answer.
            }
            context.Response.Body = shown;
            fault.Committed?.Invoke();
        }
        if (!fault.DropBefore && !dropAfter)
            return false;
        record.Status = 0;
        context.Features.Get<IConnectionLifetimeFeature>()?.Abort();
        context.Abort();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        if (host is not null)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await host.StopAsync(patience.Token);
            await host.DisposeAsync();
        }
        webhooks.Dispose();
        CertificateAuthority.Dispose();
        stopping.Dispose();
    }
}
