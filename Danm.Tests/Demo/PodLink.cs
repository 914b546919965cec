using System.Text.Json.Nodes;

namespace Danm.Tests.Demo;

/// <summary>An interface of a Pod as the kernel shows it.</summary>
/// <param name="Name">Its name in the Pod.</param>
/// <param name="Kind">The kernel's word for it, with the mode if it has one.</param>
/// <param name="Parent">What it is a child of, or the other end of a pair; null if it stands alone.</param>
/// <param name="Mtu">In bytes.</param>
/// <param name="Mac">Its hardware address.</param>
internal sealed record PodLink(string Name, string Kind, string? Parent, int Mtu, string Mac)
{
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Of the main table, without link-local ones.</summary>
    public required IReadOnlyList<string> Routes { get; init; }

    /// <summary>Rules for the interface's addresses, each with the routes of the table that it leads to.</summary>
    public required IReadOnlyList<Policy> Policies { get; init; }

    /// <summary>Reads all interfaces of a network namespace but the loopback: eth0, then the others by name.</summary>
    public static async Task<IReadOnlyList<PodLink>> ReadAsync(DemoNode node, string netns)
    {
        string[] commands = [$"ip -j link", $"ip -n {netns} -d -j address", .. new[] { "route show table all", "rule" }
            .SelectMany(what => new[] { $"ip -n {netns} -4 -j {what}", $"ip -n {netns} -6 -j {what}" })];
        var answers = (await node.ExpectAsync(string.Join(" && echo && echo ----- && ", commands)))
            .Split("-----").Select(a => JsonNode.Parse(a)!.AsArray().Select(x => x!.AsObject()).Where(x => x.Count > 0).ToList()).ToList();
        var parents = answers[0].ToDictionary(l => (int)l["ifindex"]!, l => (string)l["ifname"]!);
        var routes = answers[2].Concat(answers[3]).Select(Route.Read).Where(r => r.Table != "local" && !r.IsLinkLocal).ToList();
        var rules = answers[4].Concat(answers[5]).Where(r => (string)r["src"]! != "all").ToList();

        var links = answers[1].Where(l => (string)l["ifname"]! != "lo").OrderBy(l => (string)l["ifname"]! != "eth0").ThenBy(l => (string)l["ifname"]!, StringComparer.Ordinal);
        return [.. links.Select(link =>
        {
            var name = (string)link["ifname"]!;
            var addresses = link["addr_info"]!.AsArray().Where(a => (string?)a!["scope"] == "global").ToList();
            var info = link["linkinfo"];
            return new PodLink(
                name,
                $"{(string?)info?["info_kind"] ?? "physical"} {(string?)info?["info_data"]?["mode"]}".TrimEnd(),
                ParentOf(link, parents),
                (int)link["mtu"]!,
                (string)link["address"]!)
            {
                Addresses = [.. addresses.Select(a => $"{(string)a!["local"]!}/{(int)a["prefixlen"]!}")],
                Routes = [.. routes.Where(r => r.Device == name && r.Table == "main").Select(r => r.Text)],
                Policies = [.. rules.Where(r => addresses.Any(a => (string)a!["local"]! == (string)r["src"]!)).Select(r => new Policy(
                    $"from {(string)r["src"]!} to table {(string)r["table"]!}",
                    [.. routes.Where(x => x.Device == name && x.Table == (string)r["table"]!).Select(x => x.Text)]))],
            };
        })];
    }

    // ip names a parent of the same namespace; of another one it gives the number, and a Pod's parents are the node's.
    private static string? ParentOf(JsonObject link, Dictionary<int, string> onNode)
    {
        if ((string?)link["link"] is { } name)
            return name;
        var index = (int?)link["link_index"] ?? 0;
        return index == 0 ? null : onNode.GetValueOrDefault(index, $"interface {index} of another namespace");
    }

    /// <summary>A rule and the routes of its table.</summary>
    internal sealed record Policy(string Rule, IReadOnlyList<string> Routes);

    private sealed record Route(string Device, string Table, string Destination, string? Gateway)
    {
        public bool IsLinkLocal => Destination.StartsWith("fe80:", StringComparison.Ordinal);

        public string Text => Gateway is null ? Destination : $"{Destination} via {Gateway}";

        // iproute2 leaves the table out where it is main.
        public static Route Read(JsonObject route) =>
            new((string?)route["dev"] ?? "", (string?)route["table"] ?? "main", (string)route["dst"]!, (string?)route["gateway"]);
    }
}
