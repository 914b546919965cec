namespace Danm.Doctor.Cluster;

/// <summary>A part of Danm that is installed for itself: a folder of manifests/.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Without">What a cluster is like without it.</param>
/// <param name="IsNeeded">Whether nothing works without it.</param>
internal sealed record Component(string Folder, string Without, bool IsNeeded)
{
    /// <summary>What takes more rights, if it is turned on.</summary>
    public IReadOnlyList<ComponentPart> Parts { get; init; } = [];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Component> All { get; } =
    [
        new("cni", "no node has the plugin, and no token is renewed", true),
        new("netwatcher", "VLAN and VxLAN interfaces are made by the first Pod only, and nothing that crashed is cleaned up", true) { Parts = [new("netwatcher/unicast", "--vxlan-flooding=unicast")] },
        new("controller", "addresses of nodes that are gone, and ids of TenantNetworks, are never freed", true),
        new("webhook", "networks are stored unchecked, and TenantNetworks get no devices", false) { Parts = [new("webhook/self-signed", "--self-signed")] },
        new("svcwatcher", "Services do not lead to Pods' further interfaces", false) { Parts = [new("svcwatcher/endpoints", "--endpoints")] },
    ];

    /// <summary>Its DaemonSet or Deployment, as this build has it.</summary>
    public Document Workload => BuildManifests.Of(Folder, "DaemonSet", "Deployment").Single();

    /// <summary>How it is installed.</summary>
    public string Apply => $"kubectl apply -k manifests/{Folder}";

    /// <summary>A DaemonSet's or Deployment's path.</summary>
    public static Kube.ResourcePath PathOf(Document workload) =>
        Kube.ResourcePath.Of("apps/v1", workload["kind"].Text == "DaemonSet" ? "daemonsets" : "deployments", workload.Namespace, workload.Name);
}
