using System.CommandLine;
using Danm.Api;
using Danm.Ipam.Usage;
using Danm.Kube;

namespace Danm.Cli.Ipam;

/// <summary><c>danm ipam inspect</c>: how full pools are, who has which address, what to do about it.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var network = NetworkArgument.Create();
        var owners = new Option<bool>("--owners") { Description = "Show every address and who has it." };
        var all = new Option<bool>("--all-namespaces", "-A") { Description = "Networks of all namespaces (without a network that is what is shown)." };
        var output = new Option<string>("--output", "-o") { Description = "table, wide, json, yaml or name.", DefaultValueFactory = _ => "table", HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong("table", "wide", "json", "yaml", "name");
        var noHeaders = new Option<bool>("--no-headers") { Description = "Leave out the tables' first line." };
        var cluster = new ClusterOptions();
        var command = new Command("inspect", "Show how the addresses of networks are used: without a network a line for each, with one a map, and with --owners every address.") { network, owners, all, output, noHeaders };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (api, ns) = cluster.Connect(parsed);
            using (api)
            {
                var format = parsed.GetRequiredValue(output);
                var networks = await NetworkArgument.ListAllAsync(api, cancellation).ConfigureAwait(false);
                var shown = parsed.GetValue(network) is { } text
                    ? [Find(networks, text, ns)]
                    : networks.Where(n => parsed.GetValue(all) || !cluster.HasNamespace(parsed) || n.Metadata.Namespace is null || n.Metadata.Namespace == ns).OrderBy(n => n.Ref.ToString(), StringComparer.Ordinal).ToList();
                var isOne = parsed.GetValue(network) is not null;
                // A list on the same terminal shows by itself how far it is.
                using var progress = new ProgressLine("objects read", !parsed.GetValue(owners) || Console.IsOutputRedirected);
                var writer = new UsageWriter(parsed.InvocationConfiguration.Output, format, !parsed.GetValue(noHeaders));
                var list = parsed.GetValue(owners) ? writer.BeginOwners() : null;
                var report = await ReadAsync(new UsageReader(api, progress.Show), shown, networks, isOne, list, cancellation).ConfigureAwait(false);
                progress.Dispose();
                list?.End();
                if (list is null || format is "table" or "wide")
                    writer.Write(report, isOne);
            }
        });
        return command;
    }

    // A list that takes longer than the server remembers begins anew; what has been shown already cannot be taken back.
    private static async Task<UsageReport> ReadAsync(
        UsageReader reader, IReadOnlyList<Network> shown, IReadOnlyList<Network> all, bool isOne, OwnerList? list, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await reader.ReadAsync(shown, all, isOne, list is null ? null : allocation => list.Add(allocation), cancellation).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.Code == System.Net.HttpStatusCode.Gone && list is null && attempt < 3)
            {
                // From the start.
            }
        }
    }

    private static Network Find(List<Network> networks, string text, string ns)
    {
        var wanted = NetworkArgument.TryParse(text, ns)!;
        return networks.Find(n => n.Ref == wanted) ?? throw new ArgumentException(
            $"there is no {wanted}{(wanted.Namespace is null ? "" : ": say which namespace with -n")}; 'danm ipam inspect' lists all networks");
    }
}
