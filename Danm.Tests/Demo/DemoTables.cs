using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Danm.Tests.Demo;

/// <summary>How the demo shows what it finds.</summary>
internal static class DemoTables
{
    public static IRenderable Networks(IEnumerable<JsonObject> networks)
    {
        var table = DemoConsole.NewTable("Networks", "Name", "Kind", "On the node", "Subnets and routes").ShowRowSeparators();
        foreach (var network in networks)
        {
            var options = network["spec"]!["Options"]!;
            table.AddRow(
                Lines($"[cyan]{Text(network["metadata"]!["name"])}[/]"),
                Lines((string)network["kind"]!, Text(network["spec"]!["NetworkType"])),
                Lines(Text(options["host_device"]), options["vlan"] is { } vlan ? $"VLAN {Text(vlan)}" : null),
                Lines([
                    Text(options["cidr"]), Text(options["net6"]), .. Routes(options["routes"]), .. Routes(options["routes6"]),
                    options["rt_tables"] is { } t ? $"policy routes: table {Text(t)}" : null]));
        }

        return table;

        static IEnumerable<string> Routes(JsonNode? routes) =>
            (routes as JsonObject ?? []).Select(r => Markup.Escape($"{r.Key} via {r.Value}"));
    }

    public static IRenderable Requests(IEnumerable<JsonObject> pods)
    {
        var table = DemoConsole.NewTable("Pods", "Name", "Annotation danm.io/interfaces").ShowRowSeparators();
        foreach (var pod in pods)
            table.AddRow(Lines($"[cyan]{Text(pod["metadata"]!["name"])}[/]"), Lines(Text(pod["metadata"]!["annotations"]!["danm.io/interfaces"])?.TrimEnd()));
        return table;
    }

    public static IRenderable Interfaces(DemoPod pod, IEnumerable<PodLink> links)
    {
        var table = DemoConsole.NewTable($"Pod {pod.Name}, as its kernel shows it", "Interface", "", "").HideHeaders().ShowRowSeparators();
        foreach (var link in links)
        {
            var facts = new List<(string What, string Value)>
            {
                ("link", Markup.Escape($"{link.Kind}{(link.Parent is null ? "" : $" on {link.Parent}")}, mtu {link.Mtu}")),
                ("MAC", Markup.Escape(link.Mac)),
            };
            facts.AddRange(link.Addresses.Select(a => ("address", $"[green]{Markup.Escape(a)}[/]")));
            facts.AddRange(link.Routes.Select(r => ("route", Markup.Escape(r))));
            foreach (var policy in link.Policies)
            {
                facts.Add(("rule", Markup.Escape(policy.Rule)));
                facts.AddRange(policy.Routes.Select(r => ("", Markup.Escape($"  {r}"))));
            }

            table.AddRow(
                Lines($"[cyan]{Markup.Escape(link.Name)}[/]"),
                new Markup(string.Join('\n', facts.Select((f, i) => i > 0 && facts[i - 1].What == f.What ? "" : $"[dim]{f.What}[/]"))),
                Lines([.. facts.Select(f => f.Value)]));
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
        var table = DemoConsole.NewTable("IPAllocations: one object for each address in use", "Name: address and segment", "Held by");
        foreach (var allocation in allocations)
        {
            var owner = allocation["spec"]!["owner"]!;
            table.AddRow(Lines($"[green]{Text(allocation["metadata"]!["name"])}[/]"), Lines($"{Text(owner["pod"])} {Text(owner["interface"])}"));
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
