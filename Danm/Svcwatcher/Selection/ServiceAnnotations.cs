using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Cni;

namespace Danm.Svcwatcher.Selection;

/// <summary>
/// Reads the annotations by which a Service chooses interfaces: <c>danm.io/selector</c>, a JSON object of labels, and one or more of
/// <c>danm.io/network</c>, <c>danm.io/tenantNetwork</c>, <c>danm.io/clusterNetwork</c>; the same with the prefix of the original's releases.
/// </summary>
internal static class ServiceAnnotations
{
    private const int MaxBytes = 16 * 1024, MaxLabels = 64;

    private static readonly (string Name, NetworkKind Kind)[] Networks =
    [
        (ApiNames.NetworkAnnotation, NetworkKind.DanmNet),
        (ApiNames.TenantNetworkAnnotation, NetworkKind.TenantNetwork),
        (ApiNames.ClusterNetworkAnnotation, NetworkKind.ClusterNetwork),
    ];

    private static readonly string[] Names = [ApiNames.SelectorAnnotation, .. Networks.Select(n => n.Name)];

    /// <summary>Whether there is any of them that says something.</summary>
    public static bool Has(IReadOnlyDictionary<string, string>? annotations) => annotations is not null
        && Names.Any(n => !string.IsNullOrEmpty(annotations.GetValueOrDefault(n)) || !string.IsNullOrEmpty(annotations.GetValueOrDefault(Legacy(n))));

    /// <summary>What they choose, or what is wrong with them.</summary>
    /// <param name="annotations">All of the Service's.</param>
    /// <param name="ns">The Service's namespace.</param>
    public static (ServiceChoice? Choice, string? Fault) Read(IReadOnlyDictionary<string, string> annotations, string ns)
    {
        var networks = new List<NetworkRef>();
        foreach (var (name, kind) in Networks)
        {
            var (value, fault) = Find(annotations, name, static (a, b) => a == b);
            if (fault is not null)
                return (null, fault);
            if (value is not null)
                networks.Add(new(kind, kind.IsNamespaced() ? ns : null, value));
        }

        var (selector, conflict) = Find(annotations, ApiNames.SelectorAnnotation, IsSameJson);
        if (conflict is not null)
            return (null, conflict);
        if (selector is null)
            return (null, $"{ApiNames.SelectorAnnotation} is missing: it says which labels the Pods have, for instance {{\"app\":\"db\"}}");
        if (networks.Count == 0)
            return (null, $"the network is missing: one of {string.Join(", ", Networks.Select(n => n.Name))} must name it");
        var (labels, wrong) = ReadLabels(selector);
        return labels is null ? (null, $"{ApiNames.SelectorAnnotation} {wrong}") : (new ServiceChoice(labels, networks), null);
    }

    /// <summary>The value under either prefix; empty counts as absent.</summary>
    private static (string? Value, string? Fault) Find(IReadOnlyDictionary<string, string> annotations, string name, Func<string, string, bool> isSame)
    {
        var current = annotations.GetValueOrDefault(name) is { Length: > 0 } c ? c : null;
        var legacy = annotations.GetValueOrDefault(Legacy(name)) is { Length: > 0 } l ? l : null;
        return current is not null && legacy is not null && !isSame(current, legacy)
            ? (null, $"{Legacy(name)} says something else than {name}: remove one of them")
            : (current ?? legacy, null);
    }

    private static (List<KeyValuePair<string, string>>? Labels, string? Fault) ReadLabels(string json)
    {
        if (Encoding.UTF8.GetByteCount(json) > MaxBytes)
            return (null, $"is longer than {MaxBytes} bytes");
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json), new JsonReaderOptions { MaxDepth = 2 });
        try
        {
            var (labels, fault) = ReadObject(ref reader);
            return fault is null && reader.Read() ? (null, "has text after the object") : (labels, fault);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, $"is not a JSON object such as {{\"app\":\"db\",\"tier\":\"back\"}}, at byte {reader.BytesConsumed}: {CniText.Quote(json)}");
        }
    }

    private static (List<KeyValuePair<string, string>>? Labels, string? Fault) ReadObject(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return (null, "must be a JSON object such as {\"app\":\"db\"}");
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                return (null, $"must give {CniText.Quote(key)} a text for a value, in quotes");
            var value = reader.GetString()!;
            if (!LabelValue.IsLegal(value))
                return (null, $"gives {CniText.Quote(key)} the value {CniText.Quote(value)}, which no label can have");
            if (!labels.TryAdd(key, value))
                return (null, $"has {CniText.Quote(key)} twice");
            if (labels.Count > MaxLabels)
                return (null, $"has more than {MaxLabels} labels");
        }

        return labels.Count == 0 ? (null, "is empty, and an empty selector chooses nothing: name at least one label") : ([.. labels], null);
    }

    private static bool IsSameJson(string left, string right)
    {
        if (left == right)
            return true;
        var (l, r) = (ReadLabels(left).Labels, ReadLabels(right).Labels);
        return l is not null && r is not null && l.SequenceEqual(r);
    }

    private static string Legacy(string name) => string.Concat(ApiNames.LegacyGroup, name.AsSpan(ApiNames.Group.Length));
}
