using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Svcwatcher.Inspection;
using Danm.Svcwatcher.Selection;

namespace Danm.Cli.Svc;

/// <summary>Shows what a Service leads to, in the form that was asked for.</summary>
internal sealed class InspectionWriter(TextWriter output, string format, bool headers, bool all)
{
    private const int MostNames = 253, MostReasons = 400;

    public void Write(ServiceInspection inspection) =>
        OutputFormat.Write(output, format, json => InspectionJson.Write(json, inspection, Shown(inspection)), () => WriteTable(inspection));

    private List<InspectedInterface> Shown(ServiceInspection inspection) => [.. inspection.Interfaces.Where(i => all || i.IsNear)];

    private void WriteTable(ServiceInspection inspection)
    {
        var facts = new TextTable("", "");
        foreach (var (name, value) in FactsOf(inspection))
            facts.Add(name, CniText.Clean(value, 1000));
        facts.WriteTo(output, withHeader: false);
        var shown = Shown(inspection);
        if (shown.Count > 0)
        {
            output.WriteLine();
            WriteInterfaces(shown);
        }

        var advice = InspectionAdvice.Of(inspection, inspection.Interfaces.Count - shown.Count).ToList();
        if (advice.Count > 0)
            output.WriteLine();
        foreach (var line in advice)
            output.WriteLine(CniText.Clean(line, 2000));
    }

    private static IEnumerable<(string Name, string Value)> FactsOf(ServiceInspection inspection)
    {
        var service = inspection.Service;
        yield return ("Service:", $"{service.Metadata.Namespace}/{service.Metadata.Name}");
        if (inspection.Reading.Choice is { } choice)
        {
            yield return ("Selector:", string.Join(',', choice.Labels.Select(l => $"{l.Key}={l.Value}")));
            yield return ("Networks:", string.Join(", ", choice.Networks));
            yield return ("Families:", string.Join(", ", DesiredEndpoints.FamiliesOf(service)));
        }

        yield return ("Ports:", string.Join(", ", (service.Spec.Ports ?? []).Select(p => $"{p.Name} {p.Port}/{p.Protocol ?? "TCP"}".TrimStart())) is { Length: > 0 } ports ? ports : "none");
        yield return ("Slices:", $"{inspection.Slices.Count}, {inspection.Slices.Sum(s => s.Endpoints.Count)} endpoints, {(inspection.Differences.Count == 0 ? "as they should be" : "not as they should be")}");
    }

    private void WriteInterfaces(List<InspectedInterface> shown)
    {
        var isWide = format == "wide";
        var hasColours = Terminal.HasColours(output);
        var table = new TextTable(["POD", "INTERFACE", "ADDRESS", "ENDPOINT", "WHY NOT", .. isWide ? ["NETWORK", "NODE", "DANMEP"] : Array.Empty<string>()]);
        foreach (var i in shown)
        {
            var network = NetworkKinds.TryParse(i.Record.Spec.ApiType, out var kind) ? $"{kind.ToName()}/{i.Record.Spec.NetworkName}" : i.Record.Spec.NetworkName;
            string[] cells =
            [
                i.Record.Spec.Pod, i.Record.Spec.Interface.Name, AddressesOf(i), StateOf(i), i.WhyNot ?? "",
                .. isWide ? [network, i.Pod?.Spec.NodeName ?? "", i.Record.Metadata.Name ?? ""] : Array.Empty<string>(),
            ];
            table.Add(hasColours && i.WhyNot is not null && i.IsNear ? TextColour.Yellow : TextColour.None, [.. cells.Select((c, n) => CniText.Clean(c, n == 4 ? MostReasons : MostNames))]);
        }

        table.WriteTo(output, headers);
    }

    /// <summary>What the Service leads to, or what the interface has.</summary>
    private static string AddressesOf(InspectedInterface i) => i.Endpoints.Count > 0
        ? string.Join(',', i.Endpoints.Select(e => e.Addresses[0]))
        : string.Join(',', ((string[])[i.Record.Spec.Interface.Address, i.Record.Spec.Interface.AddressIPv6]).Where(a => a.Length > 0));

    private static string StateOf(InspectedInterface i) => i.Endpoints is [{ Conditions: var conditions }, ..]
        ? $"{(conditions.Ready == true ? "ready" : "not ready")}{(conditions.Terminating == true ? ", terminating" : "")}"
        : "no";
}
