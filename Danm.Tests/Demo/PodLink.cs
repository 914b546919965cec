using System.Text.Json.Nodes;

namespace Danm.Tests.Demo;

/// <summary>An interface of a Pod as the kernel shows it.</summary>
internal sealed record PodLink(string Name, string Kind, string Parent, int Mtu, string Mac)
{
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Of the main table, without link-local ones.</summary>
    public required IReadOnlyList<string> Routes { get; init; }

    /// <summary>Rules for the interface's addresses, each followed by the routes of the table that it leads to.</summary>
    public required IReadOnlyList<string> Policies { get; init; }

    /// <summary>Reads all interfaces of a network namespace but the loopback.</summary>
    public static async Task<IReadOnlyList<PodLink>> ReadAsync(DemoNode node, string netns)
    {
        string[] commands = [$"ip -j link", $"ip -n {netns} -d -j address", .. new[] { "route show table all", "rule" }
            .SelectMany(what => new[] { $"ip -n {netns} -4 -j {what}", $"ip -n {netns} -6 -j {what}" })];
        var answers = (await node.ExpectAsync(string.Join(" && echo && echo ----- && ", commands)))
            .Split("-----").Select(a => JsonNode.Parse(a)!.AsArray().Select(x => x!.AsObject()).Where(x => x.Count > 0).ToList()).ToList();
        var parents = answers[0].ToDictionary(l => (int)l["ifindex"]!, l => (string)l["ifname"]!);
        var routes = answers[2].Concat(answers[3]).Select(Route.Read).Where(r => r.Table != "local" && !r.IsLinkLocal).ToList();
        var rules = answers[4].Concat(answers[5]).Where(r => (string)r["src"]! != "all").ToList();

        return [.. answers[1].Where(l => (string)l["ifname"]! != "lo").Select(link =>
        {
            var name = (string)link["ifname"]!;
            var addresses = link["addr_info"]!.AsArray().Where(a => (string?)a!["scope"] == "global").ToList();
            var info = link["linkinfo"];
            return new PodLink(
                name,
                $"{(string?)info?["info_kind"]} {(string?)info?["info_data"]?["mode"]}",
                parents.GetValueOrDefault((int?)link["link_index"] ?? 0, "?"),
                (int)link["mtu"]!,
                (string)link["address"]!)
            {
                Addresses = [.. addresses.Select(a => $"{(string)a!["local"]!}/{(int)a["prefixlen"]!}")],
                Routes = [.. routes.Where(r => r.Device == name && r.Table == "main").Select(r => r.Text)],
                Policies = [.. rules.Where(r => addresses.Any(a => (string)a!["local"]! == (string)r["src"]!)).SelectMany(r => (string[])
                [
                    $"from {(string)r["src"]!} table {(string)r["table"]!}",
                    .. routes.Where(x => x.Device == name && x.Table == (string)r["table"]!).Select(x => $"  {x.Text}"),
                ])],
            };
        })];
    }

    private sealed record Route(string Device, string Table, string Destination, string? Gateway)
    {
        public bool IsLinkLocal => Destination.StartsWith("fe80:", StringComparison.Ordinal);

        public string Text => Gateway is null ? Destination : $"{Destination} via {Gateway}";

        // iproute2 leaves the table out where it is main.
        public static Route Read(JsonObject route) =>
            new((string?)route["dev"] ?? "", (string?)route["table"] ?? "main", (string)route["dst"]!, (string?)route["gateway"]);
    }
}
