using Danm.Api;
using Danm.Kube.Watching;
using Danm.Svcwatcher.Selection;

namespace Danm.Svcwatcher.View;

/// <summary>
/// Which interfaces which Service has chosen, kept up to date change by change: what one interface costs depends on its labels and on the
/// Services that look for one of them, not on the size of the cluster. Not safe for several threads.
/// </summary>
internal sealed class ServiceIndex
{
    private readonly Dictionary<ObjectKey, Entry> entries = [];

    // Each Service under one of its labels, which an interface must have to be chosen.
    private readonly Dictionary<(string Namespace, string Key, string Value), List<Entry>> anchors = [];

    // The interfaces by namespace and Pod.
    private readonly Dictionary<string, Dictionary<string, List<PodInterfaceRecord>>> pods = [];

    /// <summary>The Services that are known.</summary>
    public IEnumerable<ObjectKey> Services => entries.Keys;

    /// <summary>A Service and the interfaces that it has chosen; null if it is not known.</summary>
    public (Service Service, ServiceReading Reading, List<PodInterfaceRecord> Members)? Find(ObjectKey service) =>
        entries.GetValueOrDefault(service) is { } entry ? (entry.Service, entry.Reading, [.. entry.Members.Values]) : null;

    /// <summary>Whether a Service is known.</summary>
    public bool Knows(ObjectKey service) => entries.ContainsKey(service);

    /// <summary>The interfaces of a Pod's name.</summary>
    public IReadOnlyList<PodInterfaceRecord> InterfacesOf(ObjectKey pod) => pods.GetValueOrDefault(pod.Namespace ?? "")?.GetValueOrDefault(pod.Name) ?? [];

    /// <summary>A Service came or changed.</summary>
    public void Set(Service service)
    {
        var key = ObjectKey.Of(service);
        var reading = ServiceReading.Of(service);
        if (reading.Choice is not null && entries.GetValueOrDefault(key) is { } known && reading.Choice.IsSame(known.Reading.Choice))
        {
            // Most changes are of something else: what it has chosen need not be looked for.
            (known.Service, known.Reading) = (service, reading);
            return;
        }

        Remove(key);
        var entry = new Entry(service, reading);
        entries[key] = entry;
        if (reading.Choice is not { } choice)
            return;
        var ns = key.Namespace ?? "";
        // A label that all Services ask for tells little.
        var label = choice.Labels.MinBy(l => anchors.GetValueOrDefault((ns, l.Key, l.Value))?.Count ?? 0);
        entry.Anchor = (ns, label.Key, label.Value);
        if (!anchors.TryGetValue(entry.Anchor, out var anchored))
            anchors[entry.Anchor] = anchored = [];
        anchored.Add(entry);
        foreach (var record in pods.GetValueOrDefault(ns)?.Values.SelectMany(r => r) ?? [])
        {
            if (choice.Takes(record))
                entry.Members[record.Metadata.Name ?? ""] = record;
        }
    }

    /// <summary>A Service went.</summary>
    public void Remove(ObjectKey service)
    {
        if (!entries.Remove(service, out var entry) || entry.Reading.Choice is null)
            return;
        var anchored = anchors[entry.Anchor];
        anchored.Remove(entry);
        if (anchored.Count == 0)
            anchors.Remove(entry.Anchor);
    }

    /// <summary>An interface came, changed or went.</summary>
    /// <param name="before">As it was; null: there was none.</param>
    /// <param name="after">As it is; null: it is gone.</param>
    /// <returns>The Services that had chosen it or have now.</returns>
    public HashSet<ObjectKey> Change(PodInterfaceRecord? before, PodInterfaceRecord? after)
    {
        var touched = new HashSet<ObjectKey>();
        if (before is not null)
        {
            Forget(before);
            foreach (var entry in ChosenBy(before))
            {
                entry.Members.Remove(before.Metadata.Name ?? "");
                touched.Add(ObjectKey.Of(entry.Service));
            }
        }

        if (after is null)
            return touched;
        Forget(after);
        Learn(after);
        foreach (var entry in ChosenBy(after))
        {
            entry.Members[after.Metadata.Name ?? ""] = after;
            touched.Add(ObjectKey.Of(entry.Service));
        }

        return touched;
    }

    /// <summary>The Services that have chosen an interface.</summary>
    public IEnumerable<ObjectKey> ServicesOf(PodInterfaceRecord record) => ChosenBy(record).Select(e => ObjectKey.Of(e.Service));

    private IEnumerable<Entry> ChosenBy(PodInterfaceRecord record)
    {
        var ns = record.Metadata.Namespace ?? "";
        foreach (var (key, value) in record.Metadata.Labels ?? [])
        {
            foreach (var entry in anchors.GetValueOrDefault((ns, key, value)) ?? [])
            {
                if (entry.Reading.Choice!.Takes(record))
                    yield return entry;
            }
        }
    }

    private void Learn(PodInterfaceRecord record)
    {
        var ns = record.Metadata.Namespace ?? "";
        if (!pods.TryGetValue(ns, out var byPod))
            pods[ns] = byPod = [];
        if (!byPod.TryGetValue(record.Spec.Pod, out var own))
            byPod[record.Spec.Pod] = own = new(1);
        own.Add(record);
    }

    private void Forget(PodInterfaceRecord record)
    {
        if (pods.GetValueOrDefault(record.Metadata.Namespace ?? "") is not { } byPod || byPod.GetValueOrDefault(record.Spec.Pod) is not { } own)
            return;
        own.RemoveAll(r => r.Metadata.Name == record.Metadata.Name);
        if (own.Count == 0)
            byPod.Remove(record.Spec.Pod);
    }

    private sealed class Entry(Service service, ServiceReading reading)
    {
        public Service Service { get; set; } = service;

        public ServiceReading Reading { get; set; } = reading;

        public (string Namespace, string Key, string Value) Anchor { get; set; }

        /// <summary>By the DanmEps' names.</summary>
        public Dictionary<string, PodInterfaceRecord> Members { get; } = [];
    }
}
