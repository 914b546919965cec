using Danm.Api;

namespace Danm.Svcwatcher.Slices;

/// <summary>What all slices of a Service have in common.</summary>
/// <param name="Service">The Service.</param>
internal sealed class SliceTemplate(Service Service)
{
    /// <summary>The value of <see cref="EndpointSlice.ManagedByLabel"/> of ours.</summary>
    public const string ManagedBy = "svcwatcher.danm.io";

    private readonly Dictionary<string, string> labels = LabelsOf(Service);
    private readonly List<EndpointPort> ports = PortsOf(Service);
    private readonly OwnerReference owner = OwnerOf(Service);

    /// <summary>What makes an object go with its Service.</summary>
    public static OwnerReference OwnerOf(Service service) =>
        new() { ApiVersion = "v1", Kind = "Service", Name = service.Metadata.Name, Uid = service.Metadata.Uid, Controller = true, BlockOwnerDeletion = true };

    /// <summary>Whether the slice belongs to this very Service and not to one of its name before it.</summary>
    public bool Owns(EndpointSlice slice) => slice.Metadata.OwnerReferences?.Exists(o => o.Uid == Service.Metadata.Uid) == true;

    /// <summary>Whether everything but the endpoints is as it shall be.</summary>
    public bool Fits(EndpointSlice slice) => IsSame(slice.Metadata.Labels, labels) && slice.Ports.SequenceEqual(ports);

    /// <summary>A slice of these endpoints.</summary>
    /// <param name="family">Its address type.</param>
    /// <param name="endpoints">At most <see cref="SlicePlanner.MostEndpoints"/>.</param>
    /// <param name="trigger">When what it shows happened; null: not known.</param>
    /// <param name="present">The one that it replaces.</param>
    public EndpointSlice Make(string family, IEnumerable<Endpoint> endpoints, string? trigger, EndpointSlice? present = null)
    {
        var annotations = new Dictionary<string, string>(present?.Metadata.Annotations ?? []);
        if (trigger is null)
            annotations.Remove(EndpointSlice.TriggerTimeAnnotation);
        else
            annotations[EndpointSlice.TriggerTimeAnnotation] = trigger;
        return new EndpointSlice
        {
            Metadata = new ObjectMeta
            {
                Name = present?.Metadata.Name,
                Namespace = Service.Metadata.Namespace,
                Uid = present?.Metadata.Uid,
                ResourceVersion = present?.Metadata.ResourceVersion,
                Labels = new(labels),
                Annotations = annotations.Count == 0 ? null : annotations,
                OwnerReferences = [owner],
                Finalizers = present?.Metadata.Finalizers,
            },
            AddressType = family,
            Endpoints = [.. endpoints],
            Ports = ports,
        };
    }

    private static Dictionary<string, string> LabelsOf(Service service)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? []);
        labels.Remove(EndpointSlice.HeadlessLabel);
        if (service.Spec.ClusterIp is ServiceSpec.Headless)
            labels[EndpointSlice.HeadlessLabel] = "";
        labels[EndpointSlice.ServiceNameLabel] = service.Metadata.Name ?? "";
        labels[EndpointSlice.ManagedByLabel] = ManagedBy;
        return labels;
    }

    /// <summary>
    /// The Service's own ports: what is behind the interface is the Pod itself, and nobody translates. targetPort is ignored on purpose.
    /// </summary>
    public static List<EndpointPort> PortsOf(Service service) => (service.Spec.Ports ?? [])
        .ConvertAll(p => new EndpointPort { Name = p.Name ?? "", Protocol = p.Protocol is { Length: > 0 } protocol ? protocol : "TCP", Port = p.Port, AppProtocol = p.AppProtocol });

    private static bool IsSame(Dictionary<string, string>? left, Dictionary<string, string> right) =>
        left is not null && left.Count == right.Count && right.All(r => left.TryGetValue(r.Key, out var value) && value == r.Value);
}
