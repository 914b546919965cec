using Danm.Api;
using Danm.Svcwatcher.Selection;
using Danm.Svcwatcher.Slices;

namespace Danm.Svcwatcher.CoreEndpoints;

/// <summary>
/// The Endpoints object of a Service, as the original wrote it: the Service's annotations, one subset, both families. Kubernetes is told not
/// to mirror it, since the slices are there.
/// </summary>
internal static class EndpointsTemplate
{
    /// <summary>Kubernetes' limit for the object (KEP-752).</summary>
    public const int MostAddresses = 1000;

    /// <summary>What the object shall be, without its resourceVersion.</summary>
    /// <param name="sight">The Service and its interfaces; it has a choice.</param>
    /// <param name="trigger">When what has changed happened; null: not known.</param>
    public static Endpoints Make(ServiceSight sight, string? trigger)
    {
        var service = sight.Service;
        var published = DesiredEndpoints.FamiliesOf(service).SelectMany(f => DesiredEndpoints.Of(sight, f))
            // One condition has to do here: what ends is left out, unless the Service publishes whatever there is.
            .Where(e => e.Conditions is { Terminating: not true } or { Ready: true }).ToList();
        var ready = published.Where(e => e.Conditions.Ready == true).Take(MostAddresses).Select(ToAddress).ToList();
        var notReady = published.Where(e => e.Conditions.Ready != true).Take(MostAddresses - ready.Count).Select(ToAddress).ToList();
        return new Endpoints
        {
            Metadata = new ObjectMeta
            {
                Name = service.Metadata.Name,
                Namespace = service.Metadata.Namespace,
                Labels = LabelsOf(service),
                Annotations = AnnotationsOf(service, isTruncated: published.Count > MostAddresses, trigger),
                OwnerReferences = [SliceTemplate.OwnerOf(service)],
            },
            Subsets = ready.Count + notReady.Count == 0 ? null : [new EndpointSubset { Addresses = OrNull(ready), NotReadyAddresses = OrNull(notReady), Ports = OrNull(SliceTemplate.PortsOf(service)) }],
        };
    }

    /// <summary>Whether the object that is there tells clients all that it shall; the server sorts addresses as it likes.</summary>
    public static bool IsSame(Endpoints present, Endpoints wanted) =>
        IsSame(present.Metadata.Labels, wanted.Metadata.Labels)
        && IsSame(WithoutTrigger(present), WithoutTrigger(wanted))
        && present.Metadata.OwnerReferences?.Exists(o => o.Uid == wanted.Metadata.OwnerReferences![0].Uid) == true
        && Content(present).SetEquals(Content(wanted));

    /// <summary>Whether an object was written by us, or by the original, which copied the Service's annotations and nothing else.</summary>
    public static bool IsOurs(ObjectMeta metadata) => metadata.Labels?.GetValueOrDefault(Endpoints.ManagedByLabel) is { } manager
        ? manager == SliceTemplate.ManagedBy
        : ServiceAnnotations.Has(metadata.Annotations);

    private static HashSet<(bool IsReady, EndpointAddress? Address, EndpointPort? Port)> Content(Endpoints endpoints)
    {
        var content = new HashSet<(bool, EndpointAddress?, EndpointPort?)>();
        foreach (var subset in endpoints.Subsets ?? [])
        {
            foreach (var port in subset.Ports ?? [])
                content.Add((true, null, port with { Name = port.Name ?? "" }));
            foreach (var address in subset.Addresses ?? [])
                content.Add((true, address, null));
            foreach (var address in subset.NotReadyAddresses ?? [])
                content.Add((false, address, null));
        }

        return content;
    }

    private static EndpointAddress ToAddress(Endpoint endpoint) =>
        new() { Ip = endpoint.Addresses[0], Hostname = endpoint.Hostname, NodeName = endpoint.NodeName, TargetRef = endpoint.TargetRef };

    private static Dictionary<string, string> LabelsOf(Service service)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? []) { [Endpoints.ManagedByLabel] = SliceTemplate.ManagedBy, [Endpoints.SkipMirrorLabel] = "true" };
        labels.Remove(EndpointSlice.HeadlessLabel);
        if (service.Spec.ClusterIp is ServiceSpec.Headless)
            labels[EndpointSlice.HeadlessLabel] = "";
        return labels;
    }

    private static Dictionary<string, string> AnnotationsOf(Service service, bool isTruncated, string? trigger)
    {
        var annotations = new Dictionary<string, string>(service.Metadata.Annotations ?? []);
        annotations.Remove(Endpoints.OverCapacityAnnotation);
        annotations.Remove(EndpointSlice.TriggerTimeAnnotation);
        if (isTruncated)
            annotations[Endpoints.OverCapacityAnnotation] = Endpoints.Truncated;
        if (trigger is not null)
            annotations[EndpointSlice.TriggerTimeAnnotation] = trigger;
        return annotations;
    }

    private static Dictionary<string, string> WithoutTrigger(Endpoints endpoints)
    {
        var annotations = new Dictionary<string, string>(endpoints.Metadata.Annotations ?? []);
        annotations.Remove(EndpointSlice.TriggerTimeAnnotation);
        return annotations;
    }

    private static EquatableList<T>? OrNull<T>(IReadOnlyCollection<T> items) => items.Count == 0 ? null : [.. items];

    private static bool IsSame(Dictionary<string, string>? left, Dictionary<string, string>? right) =>
        (left?.Count ?? 0) == (right?.Count ?? 0) && (right ?? []).All(r => left!.TryGetValue(r.Key, out var value) && value == r.Value);
}
