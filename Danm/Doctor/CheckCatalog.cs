using Danm.Doctor.Cluster;
using Danm.Doctor.Node;

namespace Danm.Doctor;

/// <summary>All checks, in the order in which they are shown: what the others stand on comes first.</summary>
internal static class CheckCatalog
{
    public static IReadOnlyList<ICheck> OfNode(NodeView node) =>
    [
        new CniConfigurationCheck(node),
    ];

    public static IReadOnlyList<ICheck> OfCluster(ClusterView cluster) =>
    [
        new ServerCheck(cluster),
        new CrdCheck(cluster),
    ];
}
