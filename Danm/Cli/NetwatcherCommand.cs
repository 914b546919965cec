using System.CommandLine;
using Danm.Kube;
using Danm.Netwatcher;
using k8s;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm netwatcher</c>: the DaemonSet's entry point, also under the name netwatcher.</summary>
internal static class NetwatcherCommand
{
    public const string Name = "netwatcher";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig", "--kubeconf") { Description = "The kubeconfig; else the Pod's own service account.", HelpName = "FILE" };
        var node = new Option<string?>("--node-name") { Description = "This node; else the environment's NODE_NAME, else the host's name.", HelpName = "NAME" };
        var flooding = new Option<string>("--vxlan-flooding") { Description = "multicast or unicast: how VxLANs reach other nodes.", DefaultValueFactory = _ => "multicast", HelpName = "HOW" };
        flooding.AcceptOnlyFromAmong("multicast", "unicast");
        var once = new Option<bool>("--once") { Description = "Look once, do it, print what was done, and end; 1 if a network lacks its interface." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Look once, and print what would be done." };
        var format = new Option<string>("--logging-format") { Description = "text or json.", DefaultValueFactory = _ => "text", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command(Name, "Keep this node's VLAN and VxLAN interfaces in step with the networks (runs as a DaemonSet in the host's network).") { kubeconfig, node, flooding, once, dryRun, format };
        command.SetAction(async (parsed, cancellation) =>
        {
            var configuration = parsed.GetValue(kubeconfig) is { } path ? KubeConfig.Load(path) : InCluster();
            using var api = new ApiClient(configuration, Patience);
            using var logs = Logging.ToConsole(parsed.GetValue(format) == "json");
            var mode = new NetwatcherMode(
                api,
                new NetwatcherOptions
                {
                    NodeName = parsed.GetValue(node) ?? Environment.GetEnvironmentVariable("NODE_NAME") ?? Environment.MachineName,
                    Multicast = parsed.GetValue(flooding) == "multicast",
                },
                logs.CreateLogger(Name));
            if (!parsed.GetValue(once) && !parsed.GetValue(dryRun))
            {
                await mode.RunAsync(cancellation).ConfigureAwait(false);
                return 0;
            }

            return await mode.RunOnceAsync(!parsed.GetValue(dryRun), parsed.InvocationConfiguration.Output, cancellation).ConfigureAwait(false) ? 0 : 1;
        });
        return command;
    }

    private static KubernetesClientConfiguration InCluster() => KubernetesClientConfiguration.IsInCluster()
        ? KubernetesClientConfiguration.InClusterConfig()
        : throw new KubeConfigException("not in a Pod with a service account: name a kubeconfig with --kubeconfig FILE");
}
