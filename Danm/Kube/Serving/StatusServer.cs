using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace Danm.Kube.Serving;

/// <summary>
/// What a long-lived mode tells about itself over plain HTTP: <c>/healthz</c>, <c>/livez</c> and <c>/readyz</c> for the kubelet, and
/// <c>/metrics</c> for Prometheus.
/// </summary>
public sealed class StatusServer : IAsyncDisposable
{
    // The .NET runtime's, and all of ours by the beginning of their names.
    private static readonly string[] Meters = ["System.Runtime", "Danm.*"];

    private readonly WebApplication? app;

    private StatusServer(WebApplication? app) => this.app = app;

    /// <summary>Listens and answers until it is disposed of.</summary>
    /// <param name="health">Where the probes are answered; null: nowhere.</param>
    /// <param name="metrics">Where the metrics are; null: nowhere. May be the same as <paramref name="health"/>.</param>
    /// <param name="checks">What the probes ask.</param>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public static async Task<StatusServer> StartAsync(BindAddress? health, BindAddress? metrics, HealthChecks checks)
    {
        ArgumentNullException.ThrowIfNull(checks);
        // Kestrel without an address would take one of its own.
        if (health is null && metrics is null)
            return new StatusServer(null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Signals are the program's own business.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddOpenTelemetry().WithMetrics(m => m.AddMeter(Meters).AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            foreach (var address in new[] { health, metrics }.OfType<BindAddress>().Distinct())
            {
                if (address.Address is { } ip)
                    kestrel.Listen(ip, address.Port, Http1);
                else
                    kestrel.ListenAnyIP(address.Port, Http1);
            }
        });
        var app = builder.Build();
        app.UseOpenTelemetryPrometheusScrapingEndpoint(context => context.Request.Path == "/metrics" && IsAt(context, metrics));
        app.Run(context => IsAt(context, health) ? ProbeAsync(context, checks) : NotFoundAsync(context));
        try
        {
            await app.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return new StatusServer(app);

        static void Http1(ListenOptions o) => o.Protocols = HttpProtocols.Http1;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => app?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static bool IsAt(HttpContext context, BindAddress? address) => address is not null && context.Connection.LocalPort == address.Port;

    private static async Task ProbeAsync(HttpContext context, HealthChecks checks)
    {
        var request = context.Request;
        var endpoint = request.Path.Value?.TrimStart('/');
        Probe? probe = endpoint switch
        {
            "healthz" or "livez" => Probe.Live,
            "readyz" => Probe.Ready,
            _ => null,
        };
        if (probe is null)
        {
            await NotFoundAsync(context).ConfigureAwait(false);
            return;
        }

        var (isWell, text) = checks.Answer(endpoint!, probe.Value, request.Query.ContainsKey("verbose"), request.Query["exclude"]);
        context.Response.StatusCode = isWell ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await context.Response.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
    }

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return context.Response.WriteAsync("404 page not found\n", context.RequestAborted);
    }
}
