using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>
/// What a cluster at rest shows, as text: which endpoints every Service shall have and which it has. Made of the objects alone, in the
/// shortest way there is, by nothing of what is tested.
/// </summary>
internal static class Specification
{
    /// <summary>What there shall be.</summary>
    public static List<string> Wanted(ApiStore store)
    {
        var pods = store.List("v1", "Pod").ToDictionary(p => (Facts.Space(p), Facts.Name(p)));
        var zones = store.List("v1", "Node").ToDictionary(Facts.Name, n => Facts.Label(n, "topology.kubernetes.io/zone"));
        var records = store.List("danm.io/v1", "DanmEp").Select(r => (Record: (JsonNode)r, Pod: (JsonNode?)pods.GetValueOrDefault(PodOf(r)))).ToList();
        var lines = new List<string>();
        foreach (var service in store.List("v1", "Service"))
        {
            if (Facts.Variant(service) is not { Labels: { } labels } variant || service.At("spec", "type").String() == "ExternalName" || service.At("spec", "selector") is JsonObject { Count: > 0 })
                continue;
            var chosen = records.Where(r => r.Pod is not null && Facts.Space(r.Record) == Facts.Space(service) && variant.Networks.Contains(Facts.Network(r.Record))
                && IsOf(r.Record, r.Pod) && !Facts.IsGoing(r.Record) && !HasEnded(r.Pod)
                && labels.All(l => Facts.Label(l.Key.StartsWith("danm.io/", StringComparison.Ordinal) ? r.Record : r.Pod, l.Key) == l.Value)).ToList();
            // Of the same interface of the same Pod the later record counts.
            var latest = chosen.GroupBy(r => (Facts.Uid(r.Pod!), Facts.Network(r.Record), r.Record.At("spec", "Interface", "Name").String())).Select(g => g.MaxBy(r => Age(r.Record), AgeOrder))
                .Where(r => PublishesAll(service) || r.Pod.At("spec", "nodeName").String() is not { Length: > 0 } node || zones.ContainsKey(node)).ToList();
            var old = new List<string>();
            foreach (var family in service.At("spec", "ipFamilies").Strings())
            {
                lines.Add($"{Head(service, family)} {Common(SliceLabels(service), service.At("spec", "ports"), Facts.Uid(service))}");
                foreach (var alike in latest.Where(r => Facts.Address(r.Record, family) is not null).GroupBy(r => Facts.Address(r.Record, family)))
                {
                    var (record, pod) = alike.MaxBy(r => (IsReady(service, r.Pod!), Age(r.Record)), ReadyOrder);
                    if (IsReady(service, pod!) || !Facts.IsGoing(pod!))
                        old.Add($"{alike.Key} {Facts.Uid(pod!)} ready={IsReady(service, pod!)} hostname={pod.At("spec", "hostname")}");
                    lines.Add($"{Head(service, family)} {alike.Key} {Facts.Name(pod!)} {Facts.Uid(pod!)} ready={IsReady(service, pod!)} serving={HasReady(pod!)} terminating={Facts.IsGoing(pod!)} "
                        + $"hostname={pod.At("spec", "hostname")} node={pod.At("spec", "nodeName")} zone={zones.GetValueOrDefault(pod.At("spec", "nodeName").String() ?? "")}");
                }
            }

            lines.AddRange(OldLines(service, Facts.Uid(service), old.Count == 0 ? null : service.At("spec", "ports"), old));
        }

        lines.AddRange(records.Where(r => !HasEnded(r.Pod)).Select(r => r.Pod is not null && IsOf(r.Record, r.Pod)
            ? LabelLine(r.Record, [.. Facts.Labels(r.Pod).Where(l => !IsOurs(l)), .. Facts.Labels(r.Record).Where(IsOurs)])
            : LabelLine(r.Record, Facts.Labels(r.Record))));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    /// <summary>What there is.</summary>
    public static List<string> Present(ApiStore store)
    {
        var lines = new List<string>();
        foreach (var slices in store.List("discovery.k8s.io/v1", "EndpointSlice").Where(s => Facts.Label(s, Facts.ManagedBy) == Facts.Ours)
            .GroupBy(s => $"{Facts.Space(s)}/{Facts.Label(s, Facts.ServiceName)} {s.At("addressType")}"))
        {
            lines.AddRange(slices.Select(s => $"{slices.Key} {Common(Facts.Labels(s), s.At("ports"), s.At("metadata", "ownerReferences")?[0].At("uid").String())}").Distinct());
            lines.AddRange(slices.SelectMany(s => s.At("endpoints") as JsonArray ?? []).Select(e =>
                $"{slices.Key} {e.At("addresses")![0]} {e.At("targetRef", "name")} {e.At("targetRef", "uid")} ready={Is(e, "ready")} serving={Is(e, "serving")} terminating={Is(e, "terminating")} "
                + $"hostname={e.At("hostname")} node={e.At("nodeName")} zone={e.At("zone")}"));
            var empty = slices.Count(s => s.At("endpoints") is not JsonArray { Count: > 0 });
            if (empty > 0 && slices.Count() > 1)
                lines.Add($"{slices.Key} {empty} of {slices.Count()} slices are empty");
        }

        foreach (var endpoints in store.List("v1", "Endpoints"))
        {
            var subset = (endpoints.At("subsets") as JsonArray)?[0];
            lines.AddRange(OldLines(endpoints, endpoints.At("metadata", "ownerReferences")?[0].At("uid").String(), subset.At("ports"),
                ((string[])["addresses", "notReadyAddresses"]).SelectMany(n => (subset.At(n) as JsonArray ?? []).Select(a => $"{a.At("ip")} {a.At("targetRef", "uid")} ready={n == "addresses"} hostname={a.At("hostname")}"))));
        }

        // Nobody needs the labels of a Pod that has ended: they may be carried or not.
        var ended = store.List("v1", "Pod").Where(HasEnded).Select(p => (Facts.Space(p), Facts.Name(p))).ToHashSet();
        lines.AddRange(store.List("danm.io/v1", "DanmEp").Where(r => !ended.Contains(PodOf(r))).Select(r => LabelLine(r, Facts.Labels(r))));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private static string Head(JsonNode service, string family) => $"{Facts.Space(service)}/{Facts.Name(service)} {family}";

    /// <summary>What clients that do not know slices are told; ports only with addresses.</summary>
    private static IEnumerable<string> OldLines(JsonNode item, string? owner, JsonNode? ports, IEnumerable<string> addresses) =>
        addresses.Prepend($"owner={owner} ports={Ports(ports)}").Select(a => $"{Facts.Space(item)}/{Facts.Name(item)} Endpoints {a}");

    // The API server sorts those of Endpoints as it likes.
    private static string Ports(JsonNode? ports) =>
        string.Join(',', (ports as JsonArray ?? []).Select(p => $"{p.At("name")}/{p.At("port")}/{p.At("protocol")}").Order(StringComparer.Ordinal));

    private static string Common(IEnumerable<(string Key, string Value)> labels, JsonNode? ports, string? owner) =>
        $"labels={Sorted(labels)} ports={Ports(ports)} owner={owner}";

    private static IEnumerable<(string Key, string Value)> SliceLabels(JsonNode service) =>
    [
        .. Facts.Labels(service), (Facts.ServiceName, Facts.Name(service)), (Facts.ManagedBy, Facts.Ours),
        .. service.At("spec", "clusterIP").String() == "None" ? [("service.kubernetes.io/headless", "")] : Array.Empty<(string, string)>(),
    ];

    private static string LabelLine(JsonNode record, IEnumerable<(string Key, string Value)> labels) => $"{Facts.Space(record)}/{Facts.Name(record)} labels={Sorted(labels)}";

    private static string Sorted(IEnumerable<(string Key, string Value)> labels) => string.Join(',', labels.Select(l => $"{l.Key}:{l.Value}").Order(StringComparer.Ordinal));

    private static bool IsOurs((string Key, string Value) label) => label.Key.StartsWith("danm.io/", StringComparison.Ordinal);

    /// <summary>Whether a DanmEp is this Pod's: by its uid, or where it has none, by being no older.</summary>
    private static bool IsOf(JsonNode record, JsonNode pod) => record.At("spec", "PodUID").String() is { Length: > 0 } uid
        ? uid == Facts.Uid(pod)
        : string.CompareOrdinal(Facts.Created(record), Facts.Created(pod)) >= 0;

    private static (string, string) PodOf(JsonNode record) => (Facts.Space(record), record.At("spec", "Pod").String() ?? "");

    private static bool HasEnded(JsonNode? pod) => pod.At("status", "phase").String() is "Succeeded" or "Failed";

    private static bool HasReady(JsonNode pod) =>
        (pod.At("status", "conditions") as JsonArray ?? []).Any(c => c.At("type").String() == "Ready" && c.At("status").String() == "True");

    private static bool IsReady(JsonNode service, JsonNode pod) => PublishesAll(service) || (HasReady(pod) && !Facts.IsGoing(pod));

    private static bool PublishesAll(JsonNode service) => service.At("spec", "publishNotReadyAddresses")?.GetValue<bool>() == true
        || service.At("metadata", "annotations", "service.alpha.kubernetes.io/tolerate-unready-endpoints").String() == "true";

    private static bool Is(JsonNode? endpoint, string condition) => endpoint.At("conditions", condition)?.GetValue<bool>() == true;

    private static string Age(JsonNode record) => $"{Facts.Created(record)} {Facts.Name(record)}";

    private static readonly StringComparer AgeOrder = StringComparer.Ordinal;

    private static readonly Comparer<(bool IsReady, string Age)> ReadyOrder = Comparer<(bool IsReady, string Age)>.Create(
        (a, b) => a.IsReady != b.IsReady ? a.IsReady.CompareTo(b.IsReady) : string.CompareOrdinal(a.Age, b.Age));
}
