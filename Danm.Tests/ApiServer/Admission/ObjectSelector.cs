using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>A <c>meta.k8s.io/v1 LabelSelector</c>: matchLabels and matchExpressions; an empty one selects everything.</summary>
public sealed class ObjectSelector(JsonNode? source)
{
    private readonly (string Key, string Value)[] labels =
        source.At("matchLabels") is JsonObject exact ? [.. exact.Select(l => (l.Key, l.Value.String()!))] : [];

    private readonly (string Key, string Operator, string[] Values)[] expressions = source.At("matchExpressions") is JsonArray list
        ? [.. list.Select(e => (e.At("key").String()!, e.At("operator").String()!, AdmissionRule.Strings(e.At("values"))))]
        : [];

    public bool IsEmpty => labels.Length + expressions.Length == 0;

    public bool Matches(JsonNode? metadata)
    {
        return labels.All(l => Value(l.Key) == l.Value) && expressions.All(e => e.Operator switch
        {
            "In" => Value(e.Key) is { } value && e.Values.Contains(value),
            "NotIn" => Value(e.Key) is not { } value || !e.Values.Contains(value),
            "Exists" => Value(e.Key) is not null,
            "DoesNotExist" => Value(e.Key) is null,
            _ => false,
        });

        string? Value(string key) => metadata.At("labels", key).String();
    }
}
