using System.CommandLine;
using Danm.Cni;
using Danm.Doctor;
using Danm.Doctor.Node;
using Danm.State;

namespace Danm.Cli;

/// <summary><c>danm doctor</c>: looks at the node and the cluster, and says what is wrong and what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var node = new Option<bool>("--node") { Description = "Check this node, and not the cluster unless --cluster is there too." };
        var whole = new Option<bool>("--cluster") { Description = "Check the cluster, and not this node unless --node is there too." };
        var strict = new Option<bool>("--strict") { Description = "Exit with 1 also for warnings, and for what could not be looked at." };
        var folders = new HostFolders();
        var state = new Option<string>("--state-dir") { Description = "What the node remembers of its Pods.", DefaultValueFactory = _ => NodeState.DefaultFolder, HelpName = "FOLDER" };
        var output = new Option<string>("--output", "-o") { Description = "table, wide, json or yaml.", DefaultValueFactory = _ => "table", HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong("table", "wide", "json", "yaml");
        var noHeaders = new Option<bool>("--no-headers") { Description = "Leave out the table's first line." };
        var options = new ClusterOptions();
        var command = new Command("doctor", "Look for what is wrong with Danm, on this node where it is installed and in the cluster, and say what to do. It changes nothing. Exit code 0: nothing has failed; 1: something has.")
        {
            node, whole, strict, state, output, noHeaders,
        };
        folders.AddTo(command);
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var places = new NodeFolders(folders.BinDir(parsed), folders.ConfDir(parsed), parsed.GetRequiredValue(state));
            var configuration = NodeView.FindConfiguration(places.Conf);
            var chosen = parsed.GetValue(node) || parsed.GetValue(whole);
            var (onNode, inCluster) = chosen ? (parsed.GetValue(node), parsed.GetValue(whole)) : (NodeView.IsNode(places), true);
            using var cluster = new ClusterView(() => options.Connect(parsed, FallbackOf(configuration)).Api, cancellation);
            using var here = new NodeView(places, cluster, options.Patience(parsed));
            IReadOnlyList<ICheck> checks = [.. onNode ? CheckCatalog.OfNode(here) : [], .. inCluster ? CheckCatalog.OfCluster(cluster) : [CheckCatalog.OfServer(cluster)]];
            var results = await new Examination(LimitOf(options.Patience(parsed))).RunAsync(checks, cancellation).ConfigureAwait(false);
            var writer = new DoctorWriter(parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetRequiredValue(output), !parsed.GetValue(noHeaders));
            writer.Write(results);
            return IsWell(results, parsed.GetValue(strict)) ? 0 : 1;
        });
        return command;
    }

    // A request is tried four times; some checks make several, one after the other.
    private static TimeSpan LimitOf(TimeSpan patience) => patience * 6;

    /// <summary>The node's own kubeconfig, where the user has none: most of the cluster it may not see, and those checks say so.</summary>
    private static string? FallbackOf(string? configuration)
    {
        try
        {
            return configuration is null ? null : NetConfReader.ReadFile(configuration).Kubeconfig;
        }
        catch (CniException)
        {
            return null; // A check of its own says what is wrong with it.
        }
    }

    private static bool IsWell(IReadOnlyList<CheckResult> results, bool strict) =>
        results.SelectMany(r => r.Findings).All(f => f.Status < (strict ? CheckStatus.Skipped : CheckStatus.Failed));
}
