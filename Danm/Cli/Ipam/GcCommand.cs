using System.CommandLine;
using Danm.Api;
using Danm.Attach;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.State;

namespace Danm.Cli.Ipam;

/// <summary><c>danm ipam gc</c>: on a node, the pass that netwatcher runs; elsewhere, what looks leaked.</summary>
internal static class GcCommand
{
    public static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Tell what would be freed, and change nothing." };
        var node = new Option<string?>("--node-name") { Description = "This node's name in Kubernetes; else the CNI configuration's nodeName, else what its token is bound to. Elsewhere: only this node's.", HelpName = "NAME" };
        var conf = new Option<string?>("--cni-conf") { Description = "Danm's CNI configuration; else /etc/cni/net.d/00-danm.conflist or 00-danm.conf where it is there.", HelpName = "FILE" };
        var output = new Option<string>("--output", "-o") { Description = "table, json, yaml or name.", DefaultValueFactory = _ => "table", HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong("table", "json", "yaml", "name");
        var noHeaders = new Option<bool>("--no-headers") { Description = "Leave the table's first line out." };
        var cluster = new ClusterOptions();
        var command = new Command("gc", "Free the addresses of sandboxes that are provably dead, on the node that it runs on. Elsewhere it only reports what looks leaked, since only a node can prove its sandboxes dead.")
        {
            dryRun, node, conf, output, noHeaders,
        };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var config = LocalNode.ReadConfiguration(parsed.GetValue(conf));
            var (api, _) = cluster.Connect(parsed, config.Kubeconfig);
            using (api)
            {
                var local = await LocalNode.FindAsync(config, cluster.PathOf(parsed, config.Kubeconfig), cancellation).ConfigureAwait(false);
                var report = await RunAsync(api, local, parsed.GetValue(node), parsed.GetValue(dryRun), cancellation).ConfigureAwait(false);
                GcWriter.Write(parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetRequiredValue(output), !parsed.GetValue(noHeaders), report);
                return report.Findings.Any(f => f.Kind is FindingKind.Failed or FindingKind.WrongMount) ? 1 : 0;
            }
        });
        return command;
    }

    private static async Task<GcReport> RunAsync(ApiClient api, LocalNode local, string? asked, bool dryRun, CancellationToken cancellation)
    {
        var state = new NodeState();
        var why = !state.Exists && !state.Addresses.Exists ? $"danm has attached no Pod here, and fakeipam given no address ({state.Folder} has no journal that this user can see)"
            : asked is not null && local.Name is not null && asked != local.Name ? $"this is node {local.Name}, not {asked}"
            : (asked ?? local.Name) is null ? "nothing tells this node's name: give --node-name"
            : null;
        if (why is null)
        {
            var name = (asked ?? local.Name)!;
            var call = local.ToCall(state);
            return new GcReport(name, dryRun, null, await new NodeGarbage(api, state, name, new DeadSandboxes(call, api)).RunAsync(dryRun, cancellation).ConfigureAwait(false));
        }

        var findings = new List<Finding>();
        await foreach (var leaked in LeakSearch.FindAsync(api, asked, cancellation).ConfigureAwait(false))
            findings.Add(ToFinding(leaked));
        return new GcReport(asked, dryRun, why, findings);
    }

    private static Finding ToFinding(IPAllocation leaked) => new(
        FindingKind.Suspect, $"the Pod of its owner is gone; only node {(string.IsNullOrEmpty(leaked.Spec.NodeName) ? "<unknown>" : leaked.Spec.NodeName)} can prove the sandbox dead")
    {
        PodNamespace = leaked.Spec.Owner!.Namespace,
        PodName = leaked.Spec.Owner.Pod,
        PodUid = leaked.Spec.Owner.PodUid,
        ContainerId = leaked.Spec.Owner.ContainerId,
        Allocations = [leaked.Metadata.Name!],
    };
}

/// <summary>What <c>danm ipam gc</c> has to say.</summary>
/// <param name="Node">The node; null: the whole cluster.</param>
/// <param name="DryRun">Whether nothing was changed.</param>
/// <param name="Elsewhere">Why nothing can be freed from here; null on the node.</param>
/// <param name="Findings">What was found.</param>
internal sealed record GcReport(string? Node, bool DryRun, string? Elsewhere, IReadOnlyList<Finding> Findings);
