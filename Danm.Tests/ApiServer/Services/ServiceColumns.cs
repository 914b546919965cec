using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>What <c>kubectl get</c> shows of Services, EndpointSlices and Endpoints.</summary>
internal static class ServiceColumns
{
    private const int Shown = 3;

    public static readonly Column[] OfService =
    [
        Column.Name,
        Column.Of("Type", s => s.At("spec", "type").String()),
        Column.Of("Cluster-IP", s => s.At("spec", "clusterIPs").Strings().FirstOrDefault() ?? "<none>"),
        Column.Of("External-IP", ExternalAddress),
        Column.Of("Port(s)", s => Or("<none>", GoFields.Objects(s.At("spec", "ports")).Select(p => $"{p["port"]}{(p["nodePort"] is { } node ? $":{node}" : "")}/{p["protocol"]}"))),
        Column.Age,
        Column.Of("Selector", s => Or("<none>", (s.At("spec", "selector") as JsonObject ?? []).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")), 1),
    ];

    public static readonly Column[] OfEndpointSlice =
    [
        Column.Name,
        Column.Of("AddressType", s => s["addressType"].String()),
        Column.Of("Ports", s => Some([.. GoFields.Objects(s["ports"]).Select(p => p["port"]?.ToString() ?? (p["name"].String() is { Length: > 0 } name ? name : "*"))], "<unset>")),
        Column.Of("Endpoints", s => Some([.. GoFields.Objects(s["endpoints"]).SelectMany(e => e["addresses"].Strings())], "<unset>")),
        Column.Age,
    ];

    public static readonly Column[] OfEndpoints = [Column.Name, Column.Of("Endpoints", Addresses), Column.Age];

    private static JsonNode? ExternalAddress(JsonObject service) => service.At("spec", "type").String() switch
    {
        "ExternalName" => service.At("spec", "externalName").String(),
        "LoadBalancer" => Or("<pending>", GoFields.Objects(service.At("status", "loadBalancer", "ingress")).Select(i => i["ip"].String() ?? i["hostname"].String() ?? "")
            .Concat(service.At("spec", "externalIPs").Strings())),
        _ => Or("<none>", service.At("spec", "externalIPs").Strings()),
    };

    /// <summary>Every ready address at every port.</summary>
    private static JsonNode? Addresses(JsonObject endpoints) => endpoints["subsets"] is not JsonArray { Count: > 0 } subsets ? "<none>" : Some(
        [.. GoFields.Objects(subsets).SelectMany(s => s["ports"] is JsonArray ports
            ? GoFields.Objects(ports).SelectMany(p => Ready(s).Select(a => a.Contains(':') ? $"[{a}]:{p["port"]}" : $"{a}:{p["port"]}"))
            : Ready(s))], "");

    private static IEnumerable<string> Ready(JsonObject subset) => GoFields.Objects(subset["addresses"]).Select(a => a["ip"].String()!);

    private static string Or(string none, IEnumerable<string> items) => string.Join(',', items) is { Length: > 0 } text ? text : none;

    private static string Some(string[] items, string none) =>
        Or(none, items.Take(Shown)) + (items.Length > Shown ? $" + {items.Length - Shown} more..." : "");
}
