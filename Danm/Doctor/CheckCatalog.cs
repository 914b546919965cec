using Danm.Doctor.Cluster;
using Danm.Doctor.Node;

namespace Danm.Doctor;

/// <summary>All checks, in the order in which they are shown: what the others stand on comes first.</summary>
internal static class CheckCatalog
{
    public static IReadOnlyList<ICheck> OfNode(NodeView node) =>
    [
        new CniConfigurationCheck(node),
        new PluginCheck(node),
        new KubeconfigCheck(node),
        new TokenCheck(node, TimeProvider.System),
        new RightsCheck(node),
        new DefaultNetworkCheck(node),
        new KernelCheck(node),
        new SysctlCheck(node),
        new DelegateCheck(node),
        new LinkCheck(node),
        new DeviceCheck(node),
        new StateCheck(node, TimeProvider.System),
        new SandboxCheck(node),
        new DiskCheck(node),
        new ClockCheck(node, TimeProvider.System),
    ];

    /// <summary>What a node's checks need of the cluster, too.</summary>
    public static ICheck OfServer(ClusterView cluster) => new ServerCheck(cluster);

    public static IReadOnlyList<ICheck> OfCluster(ClusterView cluster) =>
    [
        OfServer(cluster),
        new CrdCheck(cluster),
        new RbacCheck(cluster),
        new WorkloadCheck(cluster),
        new NodeCoverageCheck(cluster),
        new WebhookCheck(cluster),
        new CertificateCheck(cluster, TimeProvider.System),
        new PolicyCheck(cluster),
        new FlowControlCheck(cluster),
        new LeaseCheck(cluster, TimeProvider.System),
        new NetworkCheck(cluster),
        new PoolCheck(cluster),
        new AllocationCheck(cluster),
        new EndpointCheck(cluster),
        new TenantIdCheck(cluster, TimeProvider.System),
        new OriginalCheck(cluster, TimeProvider.System),
        new NeighbourCheck(cluster),
    ];
}
