using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>An admission webhook on loopback, over HTTPS, that answers as a test wants it to.</summary>
public sealed class WebhookHost : IAsyncDisposable
{
    private WebApplication? host;

    public CertificateAuthority Authority { get; } = new();

    public IPEndPoint Endpoint { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>The reviews that came, in order.</summary>
    public ConcurrentQueue<JsonObject> Reviews { get; } = new();

    public ConcurrentQueue<string> Queries { get; } = new();

    /// <summary>From <c>request</c> to <c>response</c>; the uid is filled in where there is none.</summary>
    public Func<JsonObject, Task<JsonObject>> Answer { get; set; } = _ => Task.FromResult(Allow());

    /// <summary>If set, the whole text of the answer instead; null: status 500.</summary>
    public Func<JsonObject, string?>? Raw { get; set; }

    public static JsonObject Allow(string? patch = null) => patch is null
        ? new JsonObject { ["allowed"] = true }
        : new JsonObject { ["allowed"] = true, ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)) };

    public static JsonObject Deny(string message, int? code = null, string? reason = null)
    {
        var status = new JsonObject { ["message"] = message };
        if (code is not null)
            status["code"] = code;
        if (reason is not null)
            status["reason"] = reason;
        return new JsonObject { ["allowed"] = false, ["status"] = status };
    }

    /// <param name="names">What its certificate is for.</param>
    public static async Task<WebhookHost> StartAsync(params string[] names)
    {
        var made = new WebhookHost();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        var certificate = made.Authority.IssueServer(names.Length > 0 ? names : ["127.0.0.1"]);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        made.host = builder.Build();
        made.host.Run(made.HandleAsync);
        await made.host.StartAsync();
        var address = made.host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        made.Endpoint = new IPEndPoint(IPAddress.Loopback, new Uri(address).Port);
        return made;
    }

    public JsonObject ClientConfig(CertificateAuthority? trusted = null) => new()
    {
        ["url"] = $"https://127.0.0.1:{Endpoint.Port}/hook", ["caBundle"] = Bundle(trusted ?? Authority),
    };

    public static string Bundle(CertificateAuthority authority) => Convert.ToBase64String(Encoding.ASCII.GetBytes(authority.Pem));

    private async Task HandleAsync(HttpContext context)
    {
        var review = (JsonObject)(await JsonNode.ParseAsync(context.Request.Body))!;
        Reviews.Enqueue(review);
        Queries.Enqueue($"{context.Request.Protocol} {context.Request.Path}{context.Request.QueryString}");
        var request = (JsonObject)review["request"]!;
        string? text;
        if (Raw is { } raw)
        {
            text = raw(request);
        }
        else
        {
            var response = await Answer(request);
            response["uid"] ??= request["uid"].String();
            text = new JsonObject { ["apiVersion"] = review["apiVersion"].String(), ["kind"] = "AdmissionReview", ["response"] = response }.ToJsonString();
        }
        if (text is null)
            context.Response.StatusCode = 500;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(text ?? "broken", context.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await host.StopAsync(patience.Token);
            await host.DisposeAsync();
        }
        Authority.Dispose();
    }
}
