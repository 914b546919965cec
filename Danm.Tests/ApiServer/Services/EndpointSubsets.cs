using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>
/// The form that a real server gives to subsets before it stores them: an address once a port, not ready if it is said to be
/// so anywhere; subsets of the same ports are one. Addresses are sorted by their text, ports and subsets by a hash: another
/// one here than there, so that nobody relies on an order.
/// </summary>
internal static class EndpointSubsets
{
    public static void Repack(JsonObject endpoints)
    {
        if (endpoints["subsets"] is not JsonArray subsets)
            return;
        var addresses = new Dictionary<string, JsonObject>();
        // Which addresses a port is found at, and whether they are ready; no port is as good as a port here.
        var found = new Dictionary<string, SortedDictionary<string, bool>>();
        var ports = new Dictionary<string, JsonObject?>();
        foreach (var subset in GoFields.Objects(subsets))
        {
            JsonObject?[] open = subset["ports"] is JsonArray list ? [.. GoFields.Objects(list)] : [null];
            foreach (var port in open)
            {
                var key = Key(port);
                ports.TryAdd(key, port);
                found.TryAdd(key, new SortedDictionary<string, bool>(StringComparer.Ordinal));
                Note(GoFields.Objects(subset["addresses"]), found[key], ready: true);
                Note(GoFields.Objects(subset["notReadyAddresses"]), found[key], ready: false);
            }
        }

        endpoints["subsets"] = new JsonArray([.. found
            .GroupBy(f => string.Join('\n', f.Value.Select(a => $"{a.Key} {a.Value}")))
            .Select(g => (JsonNode)Subset(g.First().Value, g.Select(f => ports[f.Key])))
            .OrderBy(s => Hash(s.ToJsonString()), StringComparer.Ordinal)]);

        void Note(IEnumerable<JsonObject> some, SortedDictionary<string, bool> at, bool ready)
        {
            foreach (var address in some)
            {
                var key = $"{address["ip"].String()} {address.At("targetRef", "uid").String()}";
                addresses.TryAdd(key, address);
                at[key] = ready && at.GetValueOrDefault(key, true);
            }
        }

        JsonObject Subset(SortedDictionary<string, bool> at, IEnumerable<JsonObject?> open)
        {
            var subset = new JsonObject();
            foreach (var (name, ready) in ((string, bool)[])[("addresses", true), ("notReadyAddresses", false)])
                if (at.Where(a => a.Value == ready).Select(a => addresses[a.Key].DeepClone()).ToArray() is { Length: > 0 } chosen)
                    subset[name] = new JsonArray(chosen);
            if (open.OfType<JsonObject>().Select(p => p.DeepClone()).OrderBy(p => Hash(Key((JsonObject)p)), StringComparer.Ordinal).ToArray() is { Length: > 0 } sorted)
                subset["ports"] = new JsonArray(sorted);
            return subset;
        }
    }

    private static string Key(JsonObject? port) => port is null ? "" : $"{port["name"]} {port["port"]} {port["protocol"]} {port["appProtocol"]}";

    private static string Hash(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
