using System.CommandLine;
using Danm.Svcwatcher;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm svcwatcher</c>: a Deployment's or DaemonSet's entry point, also under the name svcwatcher.</summary>
internal static class SvcwatcherCommand
{
    public const string Name = "svcwatcher";

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "The kubeconfig; else the Pod's own service account.", HelpName = "FILE" };
        var endpoints = new Option<bool>("--endpoints") { Description = "Write Endpoints too, for clients that do not read EndpointSlices; without it those written before are removed." };
        var election = new LeaderElectionOptions();
        var mode = new ModeOptions();
        var command = new Command(Name, "Publish the addresses of Pods' interfaces as endpoints of the Services that choose them (runs as a Deployment).") { kubeconfig, endpoints };
        election.AddTo(command);
        mode.AddTo(command);
        GlogFlags.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var api = ModeConnection.Open(parsed.GetValue(kubeconfig));
            using var logs = mode.Log(parsed);
            using var signals = new Shutdown();
            var options = new SvcwatcherOptions
            {
                Endpoints = parsed.GetValue(endpoints),
                Election = election.Of(parsed, SvcwatcherOptions.LeaseName),
                Health = mode.Health(parsed),
                Metrics = mode.Metrics(parsed),
            };
            await new SvcwatcherMode(api, options, logs.CreateLogger(Name)).RunAsync(signals.Requested).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
