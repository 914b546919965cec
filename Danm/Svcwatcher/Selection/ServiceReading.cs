using Danm.Api;

namespace Danm.Svcwatcher.Selection;

/// <summary>What is to be done for a Service, by itself alone.</summary>
/// <param name="Choice">What it chooses; null: it is not ours, or cannot be served.</param>
/// <param name="Faults">What its owner should know.</param>
internal sealed record ServiceReading(ServiceChoice? Choice, IReadOnlyList<ServiceFault> Faults)
{
    /// <summary>Reasons of Events.</summary>
    public const string
        InvalidAnnotation = "InvalidDanmAnnotation", NotServed = "ServiceNotServedByDanm", UnreachableClusterIp = "ClusterIPNotReachable", ForeignEndpoints = "EndpointsNotDanms";

    /// <summary>A Service without any annotation of ours.</summary>
    public static readonly ServiceReading Foreign = new(null, []);

    /// <summary>Reads a Service. Nothing in it is an exception: its owner may write what he likes.</summary>
    public static ServiceReading Of(Service service)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (!ServiceAnnotations.Has(service.Metadata.Annotations))
            return Foreign;
        if (service.Spec.Type == ServiceSpec.ExternalName)
            return Refused(NotServed, "the Service is of type ExternalName, which has no endpoints: its danm.io annotations have no effect; use type ClusterIP with clusterIP: None");
        if (service.Spec.Selector is { Count: > 0 })
            return Refused(NotServed, "the Service has a spec.selector, so Kubernetes publishes the Pods' first addresses for it: its danm.io annotations have no effect; remove spec.selector");
        var (choice, fault) = ServiceAnnotations.Read(service.Metadata.Annotations!, service.Metadata.Namespace ?? "");
        if (choice is null)
            return Refused(InvalidAnnotation, fault!);
        return service.Spec.ClusterIp is { Length: > 0 } and not ServiceSpec.Headless
            ? new(choice, [new(UnreachableClusterIp, $"the Service has the cluster IP {service.Spec.ClusterIp}, and kube-proxy forwards from the host, which cannot reach its own ipvlan and macvlan interfaces: clients should use the endpoints; create the Service anew with clusterIP: None")])
            : new(choice, []);
    }

    private static ServiceReading Refused(string reason, string message) => new(null, [new(reason, message)]);
}
