using Danm.Api;
using Danm.Svcwatcher.Selection;

namespace Danm.Tests.Svcwatcher;

/// <summary>Services with interfaces, as literals.</summary>
internal static class Sights
{
    public static Service Headless(params string[] families) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = "db", Namespace = "ns", Uid = "service",
            Annotations = new() { ["danm.io/selector"] = """{"app":"db"}""", ["danm.io/network"] = "n" },
        },
        Spec = new ServiceSpec { ClusterIp = "None", IpFamilies = [.. families], Ports = [new ServicePort { Name = "sql", Port = 5432 }] },
    };

    public static ServiceMember Member(string pod, string address, string address6 = "", string ready = "True", string name = "", string created = "2026-01-01T00:00:00Z") => new(
        new PodInterfaceRecord
        {
            Metadata = new ObjectMeta { Name = name.Length > 0 ? name : $"{pod}-ep", Namespace = "ns", CreationTimestamp = created, Labels = new() { ["app"] = "db" } },
            Spec = new PodInterfaceSpec { NetworkName = "n", Pod = pod, PodUid = $"uid-{pod}", Interface = new PodInterfaceAddresses { Name = "eth0", Address = address, AddressIPv6 = address6 } },
        },
        new BackingPod
        {
            Metadata = new ObjectMeta { Name = pod, Namespace = "ns", Uid = $"uid-{pod}", CreationTimestamp = "2026-01-01T00:00:00Z" },
            Status = new BackingPodStatus { Phase = "Running", Conditions = [new PodCondition { Type = "Ready", Status = ready }] },
        },
        null);

    public static ServiceSight Of(Service service, params IEnumerable<ServiceMember> members) => new(service, ServiceReading.Of(service), [.. members]);
}
