using Danm.Kube;
using Danm.Kube.Serving;
using Danm.Tenants;
using Danm.Webhook.Certificates;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook;

/// <summary>
/// Answers the API server's admission reviews: networks cannot be wrong, and tenants cannot collide. Any number of replicas may run; what
/// they agree on is in the API server.
/// </summary>
internal sealed class WebhookMode(ApiClient api, WebhookOptions options, ILogger log)
{
    /// <summary>Runs until it is cancelled, and then for as long as others may still send it something.</summary>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        var serving = new ServingCertificate(log, clock);
        var view = new NetworkView(api, log.ApiFailed);
        var handler = new ReviewHandler(log);
        var pods = new ConnectedPods(api);
        var tenants = new TenantAssignment(api, view, new VniReserver(api, view, clock));

        var checks = new HealthChecks();
        checks.Add("certificate", Probe.Ready, () => serving.Problem);
        checks.Add("networks", Probe.Ready, () => view.Unknown.ToList() is { Count: > 0 } unknown ? $"not listed yet: {string.Join(", ", unknown)}" : null);
        checks.Add("shutdown", Probe.Ready, () => handler.IsDraining ? "is about to end" : null);
        await using var status = await StatusServer.StartAsync(options.Health, options.Metrics, checks).ConfigureAwait(false);
        await using var server = await AdmissionServer.StartAsync(
            options.Address, serving, handler, new NetworkValidation(view, tenants, pods), new ConfigValidation(), new NetworkDeletion(pods)).ConfigureAwait(false);
        log.Listens(options.Address.ToString());

        // The copies and the certificate are kept until the last answer.
        using var stop = new CancellationTokenSource();
        // One that breaks ends the whole: without it a certificate would expire with nobody to notice.
        var running = Together.RunAsync(stop, view.RunAsync(stop.Token), CertificateAsync(serving, clock, stop.Token));
        await Task.WhenAny(running, Task.Delay(Timeout.Infinite, cancellation)).ConfigureAwait(false);
        if (!running.IsCompleted)
        {
            log.Drains(options.ShutdownDelay.TotalSeconds);
            handler.IsDraining = true;
            await Task.Delay(options.ShutdownDelay, CancellationToken.None).ConfigureAwait(false);
        }

        await server.StopAsync().ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        log.Ends();
    }

    private Task CertificateAsync(ServingCertificate serving, TimeProvider clock, CancellationToken cancellation) => options switch
    {
        { Files: var (certificate, key) } => new CertificateFiles(certificate, key, serving, log).RunAsync(cancellation),
        { SelfSigned: { } own } => new SelfSignedCertificates(api, own, serving, log, clock).RunAsync(cancellation),
        _ => throw new InvalidOperationException("neither certificate files nor --self-signed"),
    };
}
