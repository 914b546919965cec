namespace Danm.Api;

/// <summary>k8s.cni.cncf.io/v1: the Network Plumbing Working Group's network object, as Multus reads it.</summary>
public sealed class NetworkAttachmentDefinition : IApiObject
{
    /// <summary>Group, version, kind and plural.</summary>
    public const string Group = "k8s.cni.cncf.io", GroupVersion = Group + "/v1", KindName = "NetworkAttachmentDefinition", Plural = "network-attachment-definitions";

    /// <summary>
    /// Annotation of ours: the device that <c>master</c> named before netwatcher put its VLAN or VxLAN interface there; of several, in the order
    /// of <see cref="ApiNames.HostInterfaceAnnotation"/>.
    /// </summary>
    public const string OriginalMasterAnnotation = ApiNames.Prefix + "original-master";

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>The configuration.</summary>
    public NetworkAttachmentSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary><c>spec</c> of a <see cref="NetworkAttachmentDefinition"/>.</summary>
public sealed class NetworkAttachmentSpec
{
    /// <summary>A CNI configuration or configuration list as text; absent where a file of the node has it.</summary>
    public string? Config { get; set; }
}
