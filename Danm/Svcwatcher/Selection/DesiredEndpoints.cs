using Danm.Api;

namespace Danm.Svcwatcher.Selection;

/// <summary>The endpoints that a Service is to have, as Kubernetes' own controller would make them of Pods.</summary>
internal static class DesiredEndpoints
{
    private const string TolerateUnready = "service.alpha.kubernetes.io/tolerate-unready-endpoints";

    /// <summary>
    /// The address types that a Service is to have. A headless one without a selector has both in every cluster, since the API server
    /// cannot know what is published for it; one that an old server has not given any is taken for such a one.
    /// </summary>
    public static IReadOnlyList<string> FamiliesOf(Service service) => service.Spec.IpFamilies is { Count: > 0 } families
        ? [.. families.Where(f => f is EndpointSlice.IPv4 or EndpointSlice.IPv6).Distinct()]
        : [EndpointSlice.IPv4, EndpointSlice.IPv6];

    /// <summary>The endpoints of one family, each address once, sorted by address.</summary>
    public static List<Endpoint> Of(ServiceSight sight, string family)
    {
        var chosen = new Dictionary<string, (Endpoint Endpoint, PodInterfaceRecord Record)>();
        foreach (var member in Newest(sight.Members))
        {
            if ((member.IsNodeGone && !PublishesAll(sight.Service)) || InterfaceRules.AddressOf(member.Record, family == EndpointSlice.IPv6) is not { } address)
                continue;
            var endpoint = ToEndpoint(sight.Service, member, address);
            // Two networks may have the same subnet, and a client cannot tell them apart: the Pod that works counts, then the later one.
            if (!chosen.TryGetValue(address, out var other) || Compare(endpoint, member.Record, other.Endpoint, other.Record) > 0)
                chosen[address] = (endpoint, member.Record);
        }

        return [.. chosen.Values.Select(c => c.Endpoint).OrderBy(e => e.Addresses[0], StringComparer.Ordinal)];
    }

    /// <summary>Of a Pod whose sandbox was made anew, the interface of the former one may still be there: the later one counts.</summary>
    private static IEnumerable<ServiceMember> Newest(IReadOnlyList<ServiceMember> members) => members
        .Where(m => InterfaceRules.WhyNotBacked(m.Record, m.Pod) is null)
        .GroupBy(m => (m.Pod!.Metadata.Uid, KindOf(m.Record), m.Record.Spec.NetworkName, m.Record.Spec.Interface.Name))
        .Select(g => g.MaxBy(m => (m.Record.Metadata.CreationTimestamp, m.Record.Metadata.Name)));

    // The original left a DanmNet's kind out.
    private static NetworkKind? KindOf(PodInterfaceRecord record) => NetworkKinds.TryParse(record.Spec.ApiType, out var kind) ? kind : null;

    private static Endpoint ToEndpoint(Service service, in ServiceMember member, string address)
    {
        var pod = member.Pod!;
        var isReady = pod.Status.ReadyCondition?.Status == "True";
        var isTerminating = pod.Metadata.DeletionTimestamp is not null;
        return new Endpoint
        {
            Addresses = [address],
            Conditions = new EndpointConditions { Ready = PublishesAll(service) || (isReady && !isTerminating), Serving = isReady, Terminating = isTerminating },
            // Whatever the Pod's subdomain says: it names one Service, and a Pod with several networks has several.
            Hostname = pod.Spec.Hostname is { Length: > 0 } name ? name : null,
            NodeName = pod.Spec.NodeName is { Length: > 0 } node ? node : null,
            Zone = member.Zone,
            TargetRef = new EndpointTarget { Kind = "Pod", Namespace = pod.Metadata.Namespace, Name = pod.Metadata.Name, Uid = pod.Metadata.Uid },
        };
    }

    private static bool PublishesAll(Service service) =>
        service.Spec.PublishNotReadyAddresses || service.Metadata.Annotations?.GetValueOrDefault(TolerateUnready) == "true";

    private static int Compare(Endpoint left, PodInterfaceRecord leftRecord, Endpoint right, PodInterfaceRecord rightRecord)
    {
        var byReadiness = (left.Conditions.Ready == true).CompareTo(right.Conditions.Ready == true);
        return byReadiness != 0
            ? byReadiness
            : (leftRecord.Metadata.CreationTimestamp, leftRecord.Metadata.Name).CompareTo((rightRecord.Metadata.CreationTimestamp, rightRecord.Metadata.Name));
    }
}
