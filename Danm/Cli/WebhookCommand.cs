using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Danm.Kube.Serving;
using Danm.Webhook;
using Danm.Webhook.Certificates;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm webhook</c>: the Deployment's entry point, also under the name webhook.</summary>
internal static class WebhookCommand
{
    public const string Name = "webhook";

    private const string NamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "The kubeconfig; else the Pod's own service account.", HelpName = "FILE" };
        var port = new Option<int>("--bind-port") { Description = "The port that reviews are answered on.", DefaultValueFactory = _ => 8443, HelpName = "PORT" };
        var address = new Option<string>("--bind-address") { Description = "The address that reviews are answered on; empty: all.", DefaultValueFactory = _ => "", HelpName = "ADDRESS" };
        var certificate = new Option<string?>("--tls-cert-bundle") { Description = "The certificate, PEM, with those between it and the root; read again when it changes.", HelpName = "FILE" };
        var key = new Option<string?>("--tls-private-key-file") { Description = "Its private key, PEM.", HelpName = "FILE" };
        var selfSigned = new Option<bool>("--self-signed") { Description = "Make a certificate authority and a certificate, keep them in a Secret, renew them, and have the webhook configuration trust them." };
        var own = new SelfSignedOptions { Namespace = "" };
        var ns = new Option<string?>("--namespace", "-n") { Description = "With --self-signed: where Service and Secret are; else POD_NAMESPACE of the environment, or the service account's.", HelpName = "NAMESPACE" };
        var service = Text("--service", "With --self-signed: the Service that the API server calls.", own.Service);
        var secret = Text("--secret", "With --self-signed: the Secret that replicas share.", own.Secret);
        var configuration = Text("--webhook-configuration", "With --self-signed: the MutatingWebhookConfiguration that must trust the certificate.", own.Configuration);
        var validity = GoDuration.Option("--certificate-validity", "With --self-signed: how long a certificate lives; it is replaced after two thirds.", own.Validity);
        var delay = GoDuration.Option("--shutdown-delay", "How long reviews are still answered after SIGTERM, while the cluster forgets this replica.", TimeSpan.FromSeconds(5));
        var stray = new Argument<string[]>("word") { Description = "Ignored, as in the original's manifests.", Hidden = true, Arity = ArgumentArity.ZeroOrMore };
        var mode = new ModeOptions();
        var command = new Command(Name, "Check and complete networks and TenantConfigs when they are created, changed and deleted (runs as a Deployment behind a Service).")
        {
            kubeconfig, port, address, certificate, key, selfSigned, ns, service, secret, configuration, validity, delay, stray,
        };
        mode.AddTo(command);
        command.Validators.Add(result =>
        {
            var files = new[] { result.GetValue(certificate), result.GetValue(key) }.Count(f => !string.IsNullOrEmpty(f));
            if (files != (result.GetValue(selfSigned) ? 0 : 2))
                result.AddError("webhook needs --tls-cert-bundle and --tls-private-key-file, or --self-signed without them");
            if (result.GetValue(address) is { Length: > 0 } text && !IPAddress.TryParse(text, out _))
                result.AddError($"--bind-address: '{text}' is no address");
            if (result.TryValue(port, out var number) && number is < 1 or > IPEndPoint.MaxPort)
                result.AddError($"--bind-port: {number} is no port");
            // Shorter, replicas would do nothing but renew; longer, the authority, which lives ten times as long, would outlive the calendar.
            Within(result, validity, TimeSpan.FromSeconds(10), TimeSpan.FromDays(3660));
            Within(result, delay, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        });
        command.SetAction(async (parsed, _) =>
        {
            using var logs = mode.Log(parsed);
            var log = logs.CreateLogger(Name);
            foreach (var word in parsed.GetValue(stray) ?? [])
                log.IgnoresWord(word);
            using var api = ModeConnection.Open(parsed.GetValue(kubeconfig));
            var text = parsed.GetValue(address);
            var options = new WebhookOptions
            {
                Address = new BindAddress(string.IsNullOrEmpty(text) ? null : IPAddress.Parse(text), parsed.GetValue(port)),
                Files = parsed.GetValue(selfSigned) ? null : (parsed.GetValue(certificate)!, parsed.GetValue(key)!),
                SelfSigned = parsed.GetValue(selfSigned)
                    ? own with
                    {
                        Namespace = parsed.GetValue(ns) ?? Namespace(),
                        Service = parsed.GetRequiredValue(service),
                        Secret = parsed.GetRequiredValue(secret),
                        Configuration = parsed.GetRequiredValue(configuration),
                        Validity = parsed.GetValue(validity).Time,
                    }
                    : null,
                ShutdownDelay = parsed.GetValue(delay).Time,
                Health = mode.Health(parsed),
                Metrics = mode.Metrics(parsed),
            };
            using var signals = new Shutdown();
            await new WebhookMode(api, options, log).RunAsync(signals.Requested).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    private static void Within(CommandResult result, Option<GoDuration> option, TimeSpan least, TimeSpan most)
    {
        if (result.TryValue(option, out var value) && (value.Time < least || value.Time > most))
            result.AddError($"{option.Name} must be {new GoDuration(least)} to {new GoDuration(most)}");
    }

    private static string Namespace() =>
        Environment.GetEnvironmentVariable("POD_NAMESPACE") is { Length: > 0 } ns ? ns : File.Exists(NamespaceFile) ? File.ReadAllText(NamespaceFile).Trim() : "kube-system";

    private static Option<string> Text(string name, string description, string otherwise) => new(name) { Description = description, HelpName = "NAME", DefaultValueFactory = _ => otherwise };
}
