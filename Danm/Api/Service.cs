namespace Danm.Api;

/// <summary>The members of a core/v1 Service that decide what is published for it.</summary>
/// <remarks>A cluster may have many, each with 256 KB of annotations: they are kept only where some are ours, and kubectl's copy of the manifest never.</remarks>
public sealed class Service : IApiObject
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <inheritdoc/>
    public ObjectMeta Metadata
    {
        get;
        set
        {
            field = value ?? new();
            field.Annotations?.Remove(LastApplied);
            if (field.Annotations?.Keys.Any(IsOurs) != true)
                field.Annotations = null;
        }
    }
    = new();

    /// <summary>What it is like.</summary>
    public ServiceSpec Spec { get; set => field = value ?? new(); } = new();

    private static bool IsOurs(string annotation) =>
        annotation.StartsWith(ApiNames.Prefix, StringComparison.Ordinal) || annotation.StartsWith(ApiNames.LegacyGroup + "/", StringComparison.Ordinal);
}

/// <summary>The part of a Service's spec that we use.</summary>
public sealed class ServiceSpec
{
    /// <summary>The value of <see cref="Type"/> that names another host and has no endpoints.</summary>
    public const string ExternalName = "ExternalName";

    /// <summary>The value of <see cref="ClusterIp"/> without a virtual address: the name leads to the Pods themselves.</summary>
    public const string Headless = "None";

    /// <summary>ClusterIP, NodePort, LoadBalancer or ExternalName.</summary>
    public string? Type { get; set; }

    /// <summary>The virtual address; <see cref="Headless"/>, or empty.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("clusterIP")]
    public string? ClusterIp { get; set; }

    /// <summary>IPv4 and IPv6, the first one first.</summary>
    public List<string>? IpFamilies { get; set; }

    /// <summary>Which Pods Kubernetes' own controllers take; empty: none, and somebody else publishes endpoints.</summary>
    public Dictionary<string, string>? Selector { get; set; }

    /// <summary>A headless one may have none.</summary>
    public List<ServicePort>? Ports { get; set; }

    /// <summary>Whether Pods are published before they are ready.</summary>
    public bool PublishNotReadyAddresses { get; set; }
}

/// <summary>Kubernetes' core/v1 ServicePort without what only proxies need.</summary>
public sealed class ServicePort
{
    /// <summary>A DNS label; empty where there is one port only.</summary>
    public string? Name { get; set; }

    /// <summary>TCP (also if absent), UDP or SCTP.</summary>
    public string? Protocol { get; set; }

    /// <summary>1 to 65535.</summary>
    public int Port { get; set; }

    /// <summary>What is spoken: an IANA name or a prefixed one.</summary>
    public string? AppProtocol { get; set; }
}
