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

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "The kubeconfig; else the Pod's own service account.", HelpName = "FILE" };
        var nodeGrace = GoDuration.Option("--node-grace", "How long a Node object must have been absent before what the node had is freed.", new GoneNodeOptions().Grace);
        var vniGrace = GoDuration.Option("--vni-grace", "How long no TenantNetwork must have had a VLAN or VxLAN id before it is free.", new VniRepairOptions().Grace);
        var election = new LeaderElectionOptions();
        var mode = new ModeOptions();
        var command = new Command(Name, "Free the addresses of nodes that are gone, and keep VLAN and VxLAN ids in step with TenantNetworks (runs as a Deployment).") { kubeconfig, nodeGrace, vniGrace };
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
