using System.Net.Security;
using System.Security.Authentication;
using Danm.Kube.Serving;
using Danm.Webhook.Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook;

/// <summary>HTTPS for the API server: a path for each webhook, bounded in what a client may send and how long it may take.</summary>
internal sealed class AdmissionServer : IAsyncDisposable
{
    private const int MaxUnread = 128 << 10;

    private static readonly TimeSpan LongestRequest = TimeSpan.FromSeconds(10);

    private readonly WebApplication app;

    private AdmissionServer(WebApplication app) => this.app = app;

    /// <summary>Listens until it is stopped.</summary>
    /// <param name="address">Where.</param>
    /// <param name="certificate">Who we are, at the moment of each handshake.</param>
    /// <param name="handler">Reads and answers reviews.</param>
    /// <param name="admissions">Who decides, by path.</param>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public static async Task<AdmissionServer> StartAsync(BindAddress address, ServingCertificate certificate, ReviewHandler handler, params IAdmission[] admissions)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = LongestRequest);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ReviewHandler.MaxBody;
            // What comes while a review waits for its turn stays with the sender.
            kestrel.Limits.MaxRequestBufferSize = MaxUnread;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * MaxUnread;
            kestrel.Limits.Http2.InitialStreamWindowSize = MaxUnread;
            kestrel.Limits.RequestHeadersTimeout = LongestRequest;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(10_000, TimeSpan.FromSeconds(2));
            kestrel.Limits.MaxConcurrentConnections = 1000;
            if (address.Address is { } ip)
                kestrel.Listen(ip, address.Port, Https);
            else
                kestrel.ListenAnyIP(address.Port, Https);
        });
        var app = builder.Build();
        var byPath = admissions.ToDictionary(a => $"/{a.Name}");
        app.Run(context =>
        {
            if (byPath.TryGetValue(context.Request.Path.Value ?? "", out var admission))
                return handler.AnswerAsync(context, admission);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsync("404 page not found\n", context.RequestAborted);
        });
        try
        {
            await app.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return new AdmissionServer(app);

        void Https(ListenOptions listen) => listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = LongestRequest,
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate.Current ?? throw new AuthenticationException("there is no certificate yet"),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            }),
        });
    }

    /// <summary>Takes no more connections, and waits for what is being answered.</summary>
    public Task StopAsync() => app.StopAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => app.DisposeAsync();
}
