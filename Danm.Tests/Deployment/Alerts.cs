using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>The alerts of manifests/monitoring against the series that its PodMonitor would collect.</summary>
internal static partial class Alerts
{
    // What the Prometheus operator gives each series of a PodMonitor, whatever the Pod says.
    private static readonly string[] TargetLabels = ["namespace", "pod", "container", "endpoint", "job", "instance"];

    // Of kube-state-metrics, which says of them that they are stable.
    private static readonly Dictionary<string, string[]> OfState = new()
    {
        ["kube_daemonset_status_number_unavailable"] = ["namespace", "daemonset"],
        ["kube_deployment_status_replicas_available"] = ["namespace", "deployment"],
    };

    private static readonly List<JsonObject> Manifests = [.. Directory.EnumerateFiles(Path.Combine(DanmBinary.Repository, "manifests/monitoring"), "*.yaml")
        .Where(f => Path.GetFileName(f) != Kustomization.FileName).SelectMany(f => Yaml.Documents(File.ReadAllText(f)))];

    public static JsonObject Monitor => Manifests.Single(o => o["kind"].String() == "PodMonitor");

    public static IEnumerable<JsonNode> Rules => Manifests.Single(o => o["kind"].String() == "PrometheusRule").At("spec", "groups")!.AsArray().SelectMany(g => g!["rules"]!.AsArray()).Select(r => r!);

    /// <summary>The names and label names of a page of /metrics.</summary>
    public static IEnumerable<(string Name, string[] Labels)> Series(string page) => page.Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => Sample().Match(l))
        .Select(m => (m.Groups["name"].Value, Label().Matches(m.Groups["labels"].Value).Select(l => l.Groups[1].Value).ToArray()));

    /// <summary>What is wrong with the alerts: metrics that nobody tells, and labels that they do not have.</summary>
    /// <param name="rules">The alerts.</param>
    /// <param name="monitor">The PodMonitor.</param>
    /// <param name="told">What its Pods tell.</param>
    public static IEnumerable<string> Faults(IEnumerable<JsonNode> rules, JsonNode monitor, IReadOnlyCollection<(string Name, string[] Labels)> told)
    {
        var endpoint = monitor.At("spec", "podMetricsEndpoints")!.AsArray().Single()!;
        string[] ofTarget = [.. TargetLabels, .. (endpoint["relabelings"] as JsonArray ?? []).Select(r => r!["targetLabel"].String()!)];
        // Else the Pod's own is kept as exported_namespace, and networks of one name in two namespaces are added up.
        if (endpoint["honorLabels"]?.GetValue<bool>() != true)
            foreach (var (name, labels) in told.Where(s => s.Labels.Intersect(ofTarget).Any()).DistinctBy(s => s.Name))
                yield return $"{name} has the label {string.Join(", ", labels.Intersect(ofTarget))}, which its Pod's overwrites";
        foreach (var rule in rules)
            foreach (var fault in Faults(rule["expr"].String()!, ofTarget, told).Concat(OfTexts(rule, ofTarget, told)))
                yield return $"{rule["alert"].String()}: {fault}";
    }

    private static IEnumerable<string> Faults(string expression, string[] ofTarget, IReadOnlyCollection<(string Name, string[] Labels)> told)
    {
        foreach (var (metric, wanted) in Metrics(expression))
        {
            if (LabelsOf(metric, ofTarget, told) is not { } labels)
                yield return $"nobody tells {metric}";
            else if (wanted.Except(labels).ToArray() is { Length: > 0 } missing)
                yield return $"{metric} has no label {string.Join(", ", missing)}";
        }
    }

    private static IEnumerable<string> OfTexts(JsonNode rule, string[] ofTarget, IReadOnlyCollection<(string Name, string[] Labels)> told)
    {
        var expression = rule["expr"].String()!;
        var kept = By().Matches(expression) is { Count: > 0 } by ? Names(by[0].Groups[1].Value)
            : Aggregation().IsMatch(expression) ? []
            : LabelsOf(Metrics(expression).First().Name, ofTarget, told) ?? [];
        foreach (var (_, text) in rule["annotations"]!.AsObject())
            foreach (var label in LabelInText().Matches(text.String()!).Select(m => m.Groups[1].Value).Except(kept))
                yield return $"its text names the label {label}, which is not there any more";
    }

    /// <summary>Each metric of an expression, with the labels that it needs.</summary>
    private static IEnumerable<(string Name, string[] Wanted)> Metrics(string expression)
    {
        var by = By().Matches(expression).SelectMany(m => Names(m.Groups[1].Value)).ToArray();
        var plain = By().Replace(Range().Replace(expression, ""), "");
        return Metric().Matches(plain).Select(m => (m.Groups["name"].Value, (string[])[.. by, .. Matcher().Matches(m.Groups["matchers"].Value).Select(l => l.Groups[1].Value)]));
    }

    private static string[]? LabelsOf(string metric, string[] ofTarget, IReadOnlyCollection<(string Name, string[] Labels)> told) =>
        OfState.TryGetValue(metric, out var stated) ? stated
        : told.Where(s => s.Name == metric).ToList() is { Count: > 0 } series ? [.. series.Select(s => s.Labels.AsEnumerable()).Aggregate((a, b) => a.Intersect(b)), .. ofTarget]
        : null;

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    [GeneratedRegex(@"^(?<name>[A-Za-z_:][\w:]*)(\{(?<labels>.*)\})? ")]
    private static partial Regex Sample();

    [GeneratedRegex(@"(\w+)=""(?:[^""\\]|\\.)*""")]
    private static partial Regex Label();

    [GeneratedRegex(@"\bby\s*\(([^)]*)\)")]
    private static partial Regex By();

    [GeneratedRegex(@"\b(sum|max|min|avg|count)\b")]
    private static partial Regex Aggregation();

    [GeneratedRegex(@"\[\w+\]")]
    private static partial Regex Range();

    // A word that no bracket follows, with what is in braces behind it: any operator that is a word would be found wanting as a metric.
    [GeneratedRegex(@"\b(?<name>[A-Za-z_:][\w:]*)\b(?!\s*\()(\{(?<matchers>[^}]*)\})?")]
    private static partial Regex Metric();

    [GeneratedRegex(@"(\w+)\s*(?:=~|!~|!=|=)")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\$labels\.(\w+)")]
    private static partial Regex LabelInText();
}
