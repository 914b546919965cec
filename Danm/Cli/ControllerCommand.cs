using System.CommandLine;
using Danm.Controller;
using Danm.Ipam.Garbage;
using Danm.Tenants;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm controller</c>: a Deployment's entry point, of one or more replicas.</summary>
internal static class ControllerCommand
{
    public const string Name = "controller";

    // A create that was admitted may be stored as much later as the API server gives a request, 60 s, and half as much again.
    private static readonly GoDuration ShortestVniGrace = new(TimeSpan.FromSeconds(90));

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "The kubeconfig; else the Pod's own service account.", HelpName = "FILE" };
        var nodeGrace = GoDuration.Option("--node-grace", "How long a Node object must have been absent before what the node had is freed.", new GoneNodeOptions().Grace);
        var vniGrace = GoDuration.Option("--vni-grace", "How long no TenantNetwork must have had a VLAN or VxLAN id before it is free.", new VniRepairOptions().Grace);
        var allowShort = new Option<bool>("--allow-short-vni-grace") { Description = "For tests and demonstrations: --vni-grace may be shorter than a create takes.", Hidden = true };
        var election = new LeaderElectionOptions();
        var mode = new ModeOptions();
        var command = new Command(Name, "Free the addresses of nodes that are gone, and keep VLAN and VxLAN ids in step with TenantNetworks (runs as a Deployment).") { kubeconfig, nodeGrace, vniGrace, allowShort };
        command.Validators.Add(parsed =>
        {
            // By its text: what cannot be read is an error already, and has no value.
            if (parsed.GetResult(vniGrace)?.Tokens is [var text] && GoDuration.TryParse(text.Value, out var given) && given.Time < ShortestVniGrace.Time && !parsed.GetValue(allowShort))
                parsed.AddError($"--vni-grace: {given} is shorter than a create may take, and an id could be given to two networks: at least {ShortestVniGrace}");
        });
        election.AddTo(command);
        mode.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var api = ModeConnection.Open(parsed.GetValue(kubeconfig));
            using var logs = mode.Log(parsed);
            using var signals = new Shutdown();
            var options = new ControllerOptions
            {
                Election = election.Of(parsed, ControllerOptions.LeaseName),
                Nodes = new GoneNodeOptions { Grace = parsed.GetValue(nodeGrace).Time },
                Vnis = new VniRepairOptions { Grace = parsed.GetValue(vniGrace).Time },
                Health = mode.Health(parsed),
                Metrics = mode.Metrics(parsed),
            };
            await new ControllerMode(api, options, logs.CreateLogger(Name)).RunAsync(signals.Requested).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
