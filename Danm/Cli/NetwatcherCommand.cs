using System.CommandLine;
using Danm.Attach;
using Danm.Netwatcher;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm netwatcher</c>: the DaemonSet's entry point, also under the name netwatcher.</summary>
internal static class NetwatcherCommand
{
    public const string Name = "netwatcher";

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig", "--kubeconf") { Description = "The kubeconfig; else the Pod's own service account.", HelpName = "FILE" };
        var node = new Option<string?>("--node-name") { Description = "This node's name in Kubernetes; else the environment's NODE_NAME, the CNI configuration's nodeName, what the token is bound to, or the host's name.", HelpName = "NAME" };
        var conf = new Option<string?>("--cni-conf") { Description = "Danm's CNI configuration; else /etc/cni/net.d/00-danm.conflist or 00-danm.conf where it is there.", HelpName = "FILE" };
        var flooding = new Option<string>("--vxlan-flooding") { Description = "multicast or unicast: how VxLANs reach other nodes.", DefaultValueFactory = _ => "multicast", HelpName = "HOW" };
        flooding.AcceptOnlyFromAmong("multicast", "unicast");
        var once = new Option<bool>("--once") { Description = "Look once, do it, print what was done, and end; 1 if a network lacks its interface." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Look once, and print what would be done." };
        var mode = new ModeOptions();
        var command = new Command(Name, "Keep this node's VLAN and VxLAN interfaces in step with the networks (runs as a DaemonSet in the host's network).") { kubeconfig, node, conf, flooding, once, dryRun };
        mode.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ModeConnection.Open(parsed.GetValue(kubeconfig));
            using var logs = mode.Log(parsed);
            var config = LocalNode.ReadConfiguration(parsed.GetValue(conf));
            var local = await LocalNode.FindAsync(config, parsed.GetValue(kubeconfig) ?? "", cancellation).ConfigureAwait(false);
            var options = new NetwatcherOptions
            {
                NodeName = parsed.GetValue(node) ?? Environment.GetEnvironmentVariable("NODE_NAME") ?? local.Name ?? Environment.MachineName,
                Node = local,
                Multicast = parsed.GetValue(flooding) == "multicast",
                Health = mode.Health(parsed),
                Metrics = mode.Metrics(parsed),
            };
            var log = logs.CreateLogger(Name);
            if (parsed.GetValue(once) || parsed.GetValue(dryRun))
                return await new SingleLook(api, options, log).RunAsync(!parsed.GetValue(dryRun), parsed.InvocationConfiguration.Output, cancellation).ConfigureAwait(false) ? 0 : 1;
            using var signals = new Shutdown();
            await new NetwatcherMode(api, options, log).RunAsync(signals.Requested).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
