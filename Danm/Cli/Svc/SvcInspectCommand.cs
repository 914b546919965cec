using System.CommandLine;
using Danm.Api;
using Danm.Kube;
using Danm.Svcwatcher.Inspection;

namespace Danm.Cli.Svc;

/// <summary><c>danm svc inspect</c>: which interfaces a Service leads to, which not and why, and whether clients see it so.</summary>
internal static class SvcInspectCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The Service.", HelpName = "NAME" };
        var all = new Option<bool>("--all") { Description = "Show also interfaces that have neither the Service's labels nor its networks." };
        var output = new Option<string>("--output", "-o") { Description = "table, wide, json or yaml.", DefaultValueFactory = _ => "table", HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong("table", "wide", "json", "yaml");
        var noHeaders = new Option<bool>("--no-headers") { Description = "Leave out the table's first line." };
        var cluster = new ClusterOptions();
        var command = new Command("inspect", "Show which interfaces a Service leads to, which it does not and why, and whether its EndpointSlices say so.") { name, all, output, noHeaders };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (api, ns) = cluster.Connect(parsed);
            using (api)
            {
                var inspection = await ReadAsync(api, ns, parsed.GetRequiredValue(name), cancellation).ConfigureAwait(false);
                new InspectionWriter(parsed.InvocationConfiguration.Output, parsed.GetRequiredValue(output), !parsed.GetValue(noHeaders), parsed.GetValue(all)).Write(inspection);
            }
        });
        return command;
    }

    private static async Task<ServiceInspection> ReadAsync(ApiClient api, string ns, string name, CancellationToken cancellation)
    {
        var service = await api.TryGetAsync(ResourcePath.Core("services", ns, name), ServiceJson.Default.Service, cancellation).ConfigureAwait(false)
            ?? throw new ArgumentException($"there is no Service {name} in namespace {ns}: -n says another namespace");
        var records = ObjectPages.ReadAllAsync(api, ResourcePath.Danm(ApiNames.DanmEps, ns), null, ServiceJson.Default.ObjectListPodInterfaceRecord, cancellation);
        var pods = ObjectPages.ReadAllAsync(api, ResourcePath.Core("pods", ns), null, ServiceJson.Default.ObjectListBackingPod, cancellation);
        var slices = ObjectPages.ReadAllAsync(
            api, ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, ns), $"{EndpointSlice.ServiceNameLabel}={name}", ServiceJson.Default.ObjectListEndpointSlice, cancellation);
        await Task.WhenAll(records, pods, slices).ConfigureAwait(false);
        return ServiceInspector.Inspect(service, await records.ConfigureAwait(false), await pods.ConfigureAwait(false), await slices.ConfigureAwait(false));
    }
}
