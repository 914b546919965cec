namespace Danm.Api;

/// <summary>The names by which Kubernetes knows us: group, plurals, labels, annotations.</summary>
public static class ApiNames
{
    /// <summary>The API group of all our kinds.</summary>
    public const string Group = "danm.io";

    /// <summary>The group of the original's releases 3.0 to 4.3.0, read by the migration and in annotations only.</summary>
    public const string LegacyGroup = "danm.k8s.io";

    /// <summary>The one version of our kinds.</summary>
    public const string Version = "v1";

    /// <summary>What <c>apiVersion</c> says in our objects.</summary>
    public const string GroupVersion = Group + "/" + Version;

    /// <summary>Kind and plural of each type.</summary>
    public const string
        DanmNet = "DanmNet", DanmNets = "danmnets",
        TenantNetwork = "TenantNetwork", TenantNetworks = "tenantnetworks",
        ClusterNetwork = "ClusterNetwork", ClusterNetworks = "clusternetworks",
        TenantConfig = "TenantConfig", TenantConfigs = "tenantconfigs",
        DanmEp = "DanmEp", DanmEps = "danmeps",
        IPAllocation = "IPAllocation", IPAllocations = "ipallocations",
        VNIAllocation = "VNIAllocation", VNIAllocations = "vniallocations";

    /// <summary>The prefix of every label and annotation that is ours; Pod labels under it are never copied to a DanmEp.</summary>
    public const string Prefix = "danm.io/";

    /// <summary>Label: the Kubernetes node that the object belongs to, by <see cref="LabelValue.For"/>.</summary>
    public const string NodeLabel = Prefix + "node";

    /// <summary>Label: metadata.uid of the Pod.</summary>
    public const string PodUidLabel = Prefix + "pod-uid";

    /// <summary>Label: the sandbox, by <see cref="LabelValue.For"/>, since a container id has 64 characters.</summary>
    public const string ContainerIdLabel = Prefix + "container-id";

    /// <summary>Label: <see cref="NetworkRef.ToLabelValue"/> of the network.</summary>
    public const string NetworkLabel = Prefix + "network";

    /// <summary>
    /// Label: the wire that an address is unique on, by <see cref="LabelValue.For"/>. A DanmEp has it only where that wire has a VLAN or VxLAN
    /// id: the network that it names may be deleted and made anew with another id.
    /// </summary>
    public const string SegmentLabel = Prefix + "segment";

    /// <summary>Label (Kubernetes' recommended one): who keeps the object, always <see cref="ManagedBy"/>.</summary>
    public const string ManagedByLabel = "app.kubernetes.io/managed-by";

    /// <summary>The value of <see cref="ManagedByLabel"/>.</summary>
    public const string ManagedBy = "danm";

    /// <summary>Pod annotation: the networks that the Pod wants.</summary>
    public const string InterfacesAnnotation = Prefix + "interfaces";

    /// <summary>The same annotation as the original's releases spell it.</summary>
    public const string LegacyInterfacesAnnotation = LegacyGroup + "/interfaces";

    /// <summary>Service annotation: which labels the Pods have, a JSON object.</summary>
    public const string SelectorAnnotation = Prefix + "selector";

    /// <summary>Service annotation: which DanmNet.</summary>
    public const string NetworkAnnotation = Prefix + "network";

    /// <summary>Service annotation: which TenantNetwork.</summary>
    public const string TenantNetworkAnnotation = Prefix + "tenantNetwork";

    /// <summary>Service annotation: which ClusterNetwork.</summary>
    public const string ClusterNetworkAnnotation = Prefix + "clusterNetwork";

    /// <summary>
    /// Annotation or label: a migration made the object from the original's state. Garbage collection leaves it alone.
    /// </summary>
    public const string ImportedMark = Prefix + "imported";

    /// <summary>
    /// DanmEp annotation: the VLAN or VxLAN interface of the host that the Pod's interface stands on. On a NetworkAttachmentDefinition: those
    /// that its masters were led to, with commas between them.
    /// </summary>
    public const string HostInterfaceAnnotation = Prefix + "host-interface";

    /// <summary>Node annotation: the addresses that the node's VxLANs are sent from, a JSON object with an entry for each device.</summary>
    public const string TunnelEndpointsAnnotation = Prefix + "tunnel-endpoints";
}
