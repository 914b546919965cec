using Danm.Kube.Watching;

namespace Danm.Svcwatcher;

/// <summary>When the first change happened that a Service's slices do not show yet, as the slices then say it: RFC 3339.</summary>
internal sealed class TriggerTimes
{
    private readonly Lock gate = new();
    private readonly Dictionary<ObjectKey, string> first = [];

    /// <summary>Something happened, at a time that is known.</summary>
    public void Note(ObjectKey service, string time)
    {
        lock (gate)
        {
            // The API server writes whole seconds in UTC, which compare as text.
            if (!first.TryGetValue(service, out var known) || string.CompareOrdinal(time, known) < 0)
                first[service] = time;
        }
    }

    /// <summary>Takes what the next write is to say; null: nothing is known.</summary>
    public string? Take(ObjectKey service)
    {
        lock (gate)
            return first.Remove(service, out var time) ? time : null;
    }
}
