using Danm.Api;

namespace Danm.Svcwatcher.Selection;

/// <summary>A Pod's labels on its DanmEps: all but those that are ours, which on a Pod would be forged.</summary>
internal static class PodLabels
{
    /// <summary>What must change on the DanmEp; null values go. Null: nothing, or there is nothing to compare with.</summary>
    public static Dictionary<string, string?>? Difference(PodInterfaceRecord record, BackingPod? pod)
    {
        if (pod is null || !InterfaceRules.IsOf(record, pod))
            return null;
        Dictionary<string, string?>? difference = null;
        var present = record.Metadata.Labels ?? [];
        var wanted = pod.Metadata.Labels ?? [];
        foreach (var (key, value) in wanted)
        {
            if (!IsOurs(key) && present.GetValueOrDefault(key) != value)
                (difference ??= [])[key] = value;
        }

        foreach (var key in present.Keys)
        {
            if (!IsOurs(key) && !wanted.ContainsKey(key))
                (difference ??= [])[key] = null;
        }

        return difference;
    }

    /// <summary>Whether two states of a Pod have the same labels.</summary>
    public static bool IsSame(BackingPod? before, BackingPod after)
    {
        var (left, right) = (before?.Metadata.Labels, after.Metadata.Labels);
        return before is not null && (left?.Count ?? 0) == (right?.Count ?? 0) && (right ?? []).All(r => left!.TryGetValue(r.Key, out var value) && value == r.Value);
    }

    private static bool IsOurs(string key) => key.StartsWith(ApiNames.Prefix, StringComparison.Ordinal);
}
