using Danm.Api;
using Danm.Svcwatcher.Selection;

namespace Danm.Svcwatcher.Inspection;

/// <summary>Explains a Service by the rules that the svcwatcher goes by, from what there is in its namespace.</summary>
internal static class ServiceInspector
{
    /// <summary>Looks at everything that has to do with a Service.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="records">The interfaces of its namespace.</param>
    /// <param name="pods">The Pods of its namespace.</param>
    /// <param name="slices">The slices with its name.</param>
    public static ServiceInspection Inspect(Service service, IReadOnlyList<PodInterfaceRecord> records, IReadOnlyList<BackingPod> pods, IReadOnlyList<EndpointSlice> slices)
    {
        var reading = ServiceReading.Of(service);
        if (reading.Choice is not { } choice)
            return new(service, reading, [], [], slices, [.. SliceComparison.Of(service, [], slices, isServed: false)]);
        var byName = pods.ToDictionary(p => p.Metadata.Name ?? "");
        var members = records.Where(choice.Takes).Select(r => new ServiceMember(r, byName.GetValueOrDefault(r.Spec.Pod), null)).ToList();
        var sight = new ServiceSight(service, reading, members);
        var families = DesiredEndpoints.FamiliesOf(service);
        var desired = families.SelectMany(f => DesiredEndpoints.Of(sight, f)).ToList();
        var byAddress = desired.ToDictionary(e => e.Addresses[0]);
        var interfaces = records.Select(r => Explain(choice, r, byName.GetValueOrDefault(r.Spec.Pod), families, byAddress))
            .OrderBy(i => i.WhyNot is not null).ThenBy(i => !i.IsNear)
            .ThenBy(i => i.Record.Spec.Pod, StringComparer.Ordinal).ThenBy(i => i.Record.Spec.Interface.Name, StringComparer.Ordinal).ToList();
        return new(service, reading, interfaces, PodsWithout(choice, members, pods), slices, [.. SliceComparison.Of(service, desired, slices, isServed: true)]);
    }

    private static InspectedInterface Explain(
        ServiceChoice choice, PodInterfaceRecord record, BackingPod? pod, IReadOnlyList<string> families, Dictionary<string, Endpoint> byAddress)
    {
        var isNear = choice.IsOn(record) || choice.FirstDifference(record) is null;
        if ((InterfaceRules.WhyNotChosen(choice, record) ?? InterfaceRules.WhyNotBacked(record, pod)) is { } fault)
            return new(record, pod, [], fault, isNear);
        var endpoints = new List<Endpoint>();
        string? whyNot = null;
        foreach (var family in families)
        {
            if (InterfaceRules.AddressOf(record, family == EndpointSlice.IPv6) is not { } address)
                continue;
            var endpoint = byAddress.GetValueOrDefault(address);
            if (endpoint?.TargetRef?.Uid == pod!.Metadata.Uid)
                endpoints.Add(endpoint!);
            else
                whyNot ??= endpoint is null ? "a later interface of this Pod counts" : $"{address} leads to Pod {endpoint.TargetRef?.Name}, which has it too";
        }

        return endpoints.Count > 0 ? new(record, pod, endpoints, null, true) : new(record, pod, [], whyNot ?? WhyNoAddress(record, families), true);
    }

    private static string WhyNoAddress(PodInterfaceRecord record, IReadOnlyList<string> families)
    {
        foreach (var family in (string[])[EndpointSlice.IPv4, EndpointSlice.IPv6])
        {
            if (!families.Contains(family) && InterfaceRules.AddressOf(record, family == EndpointSlice.IPv6) is not null)
                return $"it has {family} only, and the Service's ipFamilies are {string.Join(", ", families)}";
        }

        return "it has no address that a Service can lead to";
    }

    private static List<string> PodsWithout(ServiceChoice choice, List<ServiceMember> members, IReadOnlyList<BackingPod> pods)
    {
        var with = members.Where(m => m.Pod is not null && InterfaceRules.IsOf(m.Record, m.Pod)).Select(m => m.Record.Spec.Pod).ToHashSet();
        return [.. pods.Where(p => !InterfaceRules.HasEnded(p) && !with.Contains(p.Metadata.Name ?? "") && HasLabels(choice, p)).Select(p => p.Metadata.Name ?? "").Order(StringComparer.Ordinal)];
    }

    private static bool HasLabels(ServiceChoice choice, BackingPod pod) =>
        choice.Labels.All(l => pod.Metadata.Labels?.GetValueOrDefault(l.Key) == l.Value);
}
