using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Danm.Tests.Demo;

/// <summary>How the demo shows what it finds.</summary>
internal static class DemoTables
{
    public static IRenderable Networks(IEnumerable<JsonObject> networks)
    {
        var table = DemoConsole.NewTable("Networks", "Kind / name", "On the node", "Subnets", "Routes");
        foreach (var network in networks)
        {
            var options = network["spec"]!["Options"]!;
            table.AddRow(
                Lines((string)network["kind"]!, $"[cyan]{Text(network["metadata"]!["name"])}[/]"),
                Lines($"ipvlan on {Text(options["host_device"])}", options["vlan"] is { } vlan ? $"VLAN {Text(vlan)}" : null),
                Lines(Text(options["cidr"]), Text(options["net6"])),
                Lines([.. Routes(options["routes"]), .. Routes(options["routes6"]), options["rt_tables"] is { } t ? $"policy routes: table {Text(t)}" : null]));
        }

        return table;

        static IEnumerable<string> Routes(JsonNode? routes) =>
            (routes as JsonObject ?? []).Select(r => Markup.Escape($"{r.Key} via {r.Value}"));
    }

    public static IRenderable Requests(IEnumerable<JsonObject> pods)
    {
        var table = DemoConsole.NewTable("Pods", "Name", "Annotation danm.io/interfaces");
        foreach (var pod in pods)
        {
            var wishes = JsonNode.Parse((string)pod["metadata"]!["annotations"]!["danm.io/interfaces"]!)!.AsArray();
            table.AddRow(
                Lines($"[cyan]{Text(pod["metadata"]!["name"])}[/]"),
                Lines([.. wishes.Select(w => Markup.Escape(w!.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })))]));
        }

        return table;
    }

    public static IRenderable Interfaces(DemoPod pod, IEnumerable<PodLink> links)
    {
        var table = DemoConsole.NewTable($"Pod {pod.Name}, as its kernel shows it", "Interface", "Addresses", "Routes", "Rules and their routes");
        foreach (var link in links)
        {
            table.AddRow(
                Lines($"[cyan]{Markup.Escape(link.Name)}[/]", link.Kind, $"on {Markup.Escape(link.Parent)}", $"[dim]mtu {link.Mtu}[/]"),
                Lines([.. link.Addresses.Select(a => $"[green]{Markup.Escape(a)}[/]"), $"[dim]{Markup.Escape(link.Mac)}[/]"]),
                Lines([.. link.Routes.Select(Markup.Escape)]),
                Lines([.. link.Policies.Select(Markup.Escape)]));
        }

        return table;
    }

    public static IRenderable Pings(IEnumerable<Ping> pings)
    {
        var table = DemoConsole.NewTable(null, "From", "To", "Over", "Address", "Answers", "Average");
        foreach (var ping in pings)
            table.AddRow(Lines(ping.From), Lines(ping.To), Lines(ping.Interface), Lines($"[green]{ping.Target}[/]"), Lines($"[green]{ping.Sent}[/]"), Lines($"{ping.AverageMilliseconds:0.00} ms"));
        return table;
    }

    public static IRenderable Allocations(IEnumerable<JsonObject> allocations)
    {
        var table = DemoConsole.NewTable("IPAllocations: one object for each address in use", "Name: address and segment", "Network", "Pod", "Interface");
        foreach (var allocation in allocations)
        {
            var spec = allocation["spec"]!;
            table.AddRow(
                Lines($"[green]{Text(allocation["metadata"]!["name"])}[/]"),
                Lines(Text(spec["network"]!["name"])),
                Lines(Text(spec["owner"]!["pod"])),
                Lines(Text(spec["owner"]!["interface"])));
        }

        return table;
    }

    public static IRenderable Leftovers(IEnumerable<Leftover> leftovers)
    {
        var table = DemoConsole.NewTable(null, "Of the two Pods", "Left");
        foreach (var leftover in leftovers)
            table.AddRow(Lines(leftover.What), Lines(leftover.Count == 0 ? "[green]0[/]" : $"[red]{leftover.Count}[/]"));
        return table;
    }

    private static string? Text(JsonNode? value) => value is null ? null : Markup.Escape(value.ToString());

    private static Markup Lines(params string?[] markup) => new(string.Join('\n', markup.Where(m => !string.IsNullOrWhiteSpace(m))));
}
